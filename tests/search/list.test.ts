import { beforeAll, describe, expect, test } from 'bun:test'
import { type List, listService, type Metadata } from '../support/lists'
import { aMovie } from '../support/server'

const { server, alice, bob, list } = listService()

const titlesOf = ({ body }: { body: List }) => body.movies?.map(({ title }) => title)
/** The target of each relation in a `Link` header. */
const linksOf = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    (headers.get('link') ?? '').split(', ').map((link) => {
      const [, target = '', rel = ''] = /^<([^>]*)>; rel="(\w+)"$/.exec(link) ?? []
      return [rel, target]
    }),
  )

describe('an empty list', () => {
  test('is one empty page', async () => {
    const answer = await list('')
    const metadata = { current_page: 1, page_size: 20, first_page: 1, last_page: 1, total_records: 0 }
    expect(answer.text).toBe(JSON.stringify({ movies: [], metadata }))
    expect(linksOf(answer.headers)).toEqual({ first: '/v1/movies?page=1', last: '/v1/movies?page=1' })
    expect((await list('?page=3&title=x')).body.metadata).toEqual({ ...metadata, current_page: 3 })
  })
})

describe('the list', () => {
  /** Title, genres, director, cast, release date or year, runtime; with ids from 1 in this order. */
  const movies = [
    'Moana|Animation,adventure|Ron Clements, John Musker|Auliʻi Cravalho,Dwayne Johnson|2016-11-23|107',
    'Amélie|comedy,romance|Jean-Pierre Jeunet|Audrey Tautou,Mathieu Kassovitz|2001-04-25|122',
    'Cafe Society|comedy,drama|Woody Allen|Jesse Eisenberg|2016-05-11|96',
    'Café de Flore|drama,Science Fiction|Jean-Marc Vallée|Vanessa Paradis|2011-09-23|120',
    'The Big Blue|drama|Luc Besson|Jean Reno,Jean-Marc Barr|1988-05-11|168',
    'Big|comedy|Penny Marshall|Tom Hanks|1988-06-03|104',
    'Blue Is the Warmest Colour|drama|Abdellatif Kechiche|Adèle Exarchopoulos|2013-10-09|180',
    '100% Wolf|animation|Alexs Stadermann|Ilai Swindells|2020|96',
    "Łódź_Straße|documentary|O'Neil Ōta||2020|96",
    'éclair|drama|Luc Besson|Jean Reno|2013-10-09|10',
  ].map((line) => line.split('|'))
  const all = movies.map(([title = '']) => title)
  beforeAll(async () => {
    for (const [i, [title = '', genres, director, cast, date = '', runtime]] of movies.entries()) {
      const when = date.includes('-') ? { year: undefined, release_date: date } : { year: Number(date) }
      const lists = { genres: genres?.split(','), cast: cast?.split(',').filter(Boolean) }
      const body = aMovie(title, { ...lists, director, runtime: `${runtime} mins`, ...when })
      const { token } = i < 7 ? alice() : bob()
      expect((await server().request('POST', '/v1/movies', { token, body })).status).toBe(201)
    }
  })

  const some = (...ids: number[]) => ids.map((id) => all[id - 1] ?? '')
  const everything = (queries: string) => queries.split(' ').map((query): [string, string[]] => [query, all])
  test.each<[string, string[]]>([
    ['title=moana', some(1)],
    ['title=MOANA', some(1)],
    ['title=cafe', some(3, 4)],
    ['title=CAFÉ', some(3, 4)],
    ['title=cafe%CC%81', some(3, 4)],
    ['title=amelie', some(2)],
    ['title=%C3%A9clair', some(10)],
    ['title=lodz', some(9)],
    ['title=STRASSE', some(9)],
    ['title=big', some(5, 6)],
    ['title=big%20blue', some(5)],
    ['title=blue+BIG', some(5)],
    ['title=the%09blue%0A', some(5, 7)],
    ['title=blu', []],
    ['title=big+red', []],
    ['title=100', some(8)],
    ['director=besson', some(5, 10)],
    ['director=jean', some(2, 4)],
    ['director=jean+vallee', some(4)],
    ['director=clements+musker', some(1)],
    ['director=ota', some(9)],
    ['director=o%27neil', some(9)],
    ['cast=jean', some(5, 10)],
    ['cast=auli%CA%BBi', some(1)],
    ['cast=adele', some(7)],
    ['cast=reno+barr', some(5)],
    ['genres=drama', some(3, 4, 5, 7, 10)],
    ['genres=DRAMA,comedy', some(3)],
    ['genres=+drama+,+comedy+', some(3)],
    ['genres=animation', some(1, 8)],
    ['genres=science+fiction', some(4)],
    ['genres=science', []],
    ['genres=drama,western', []],
    ['genres=drama,,comedy,', some(3)],
    ['genres=drama,drama', some(3, 4, 5, 7, 10)],
    ['genres_any=western,Science+Fiction,ROMANCE', some(2, 4)],
    ['genres_any=drama,comedy&genres=romance', some(2)],
    ['genres_any=western', []],
    ['year=2016', some(1, 3)],
    ['year_from=2016', some(1, 3, 8, 9)],
    ['year_to=1988', some(5, 6)],
    ['year_from=2001&year_to=2011', some(2, 4)],
    ['year_from=2012&year_to=2011', []],
    ['year_from=0&year_to=9999&runtime_from=0&runtime_to=100000', all],
    ['runtime_from=168', some(5, 7)],
    ['runtime_to=96', some(3, 8, 9, 10)],
    ['runtime_from=96&runtime_to=104&year_to=2016', some(3, 6)],
    ['imdb_id=tt3521164', []],
    ['external_id=none', []],
    ['favourite=true', []],
    ['favourite=false', all],
    ['year=0', []],
    ['release_date=1988-05-11', some(5)],
    ['release_date_from=2013-10-09', some(1, 3, 7, 10)],
    ['release_date_to=1988-06-03', some(5, 6)],
    ['release_date_from=1988-06-03&release_date_to=2011-09-23', some(2, 4, 6)],
    ['release_date_from=2016-01-01&release_date_to=2015-01-01', []],
    ['release_date_from=0001-01-01&release_date_to=9999-12-31', some(1, 2, 3, 4, 5, 6, 7, 10)],
    ['created_by=me', some(1, 2, 3, 4, 5, 6, 7)],
    ['created_by=2', some(1, 2, 3, 4, 5, 6, 7)],
    ['created_by=3', some(8, 9, 10)],
    ['created_by=999', []],
    ['created_by=9223372036854775807', []],
    ['title=cafe&genres=drama&director=allen&cast=eisenberg&year=2016&created_by=me', some(3)],
    ['title=cafe&year=1988', []],
    [
      'release_date=2016-11-23&release_date_from=2016-11-23&release_date_to=2016-11-23&genres=adventure',
      some(1),
    ],
    // Text without words counts as not given.
    ...everything(
      'title= title=%20 title=!!! title=%25 title=_ cast=%26+%7C director=-- genres=,+, genres=+ genres_any=,+',
    ),
    ...everything('title=&genres=&director=&cast=&year=&created_by=&page=&page_size=&sort='),
    ...everything('genres_any=&year_from=&year_to=&runtime_from=&runtime_to=&favourite=&include='),
    ...everything('release_date=&release_date_from=&release_date_to='),
    ['title=%21&cast=%22%22&director=%3A%2A&year=2020', some(8, 9)],
    ['title=...&director=besson', some(5, 10)],
    ['title=...&director=nobody', []],
    // Special characters of SQL, LIKE and tsquery.
    ['title=moan%25', []],
    ['title=m_ana', []],
    ['title=%21moana', some(1)],
    ['title=mo:*', []],
    ['title=moana%7Cbig', []],
    ['title=%28moana', some(1)],
    ["title=moana'%20OR%20'1'='1", []],
    ["title='%3B%20drop%20table%20movies%3B%20--", []],
    ['genres=%25', []],
    ['genres={drama}', []],
    ['genres=drama%22%2C%22comedy', []],
    ['genres=%5C', []],
    ['genres=null', []],
    ["director=besson'%29%3B--", some(5, 10)],
    ['cast=%24%7B7*7%7D%20%241', []],
    ['created_by=2&title=%5C', some(1, 2, 3, 4, 5, 6, 7)],
  ])('filtered by %s', async (query, titles) => {
    const answer = await list(`?${query}`)
    expect([answer.status, titlesOf(answer)]).toEqual([200, titles])
    expect(answer.body.metadata.total_records).toBe(titles.length)
  })

  test.each<[string, number[]]>([
    ['id', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ['-id', [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
    ['title', [8, 2, 6, 7, 4, 3, 10, 9, 1, 5]],
    ['-title', [5, 1, 9, 10, 3, 4, 7, 6, 2, 8]],
    ['year', [5, 6, 2, 4, 7, 10, 1, 3, 8, 9]],
    ['-year', [8, 9, 1, 3, 7, 10, 4, 2, 5, 6]],
    ['runtime', [10, 3, 8, 9, 6, 1, 4, 2, 5, 7]],
    ['-runtime', [7, 5, 2, 4, 1, 6, 3, 8, 9, 10]],
    ['release_date', [5, 6, 2, 4, 7, 10, 3, 1, 8, 9]],
    ['-release_date', [1, 3, 7, 10, 4, 2, 6, 5, 8, 9]],
    ['%2Drelease_date', [1, 3, 7, 10, 4, 2, 6, 5, 8, 9]],
  ])('sorted by %s', async (sort, ids) => {
    expect((await list(`?sort=${sort}`)).body.movies.map(({ id }) => id)).toEqual(ids)
    const paged = [1, 2, 3, 4].map((page) => list(`?sort=${sort}&page_size=3&page=${page}`))
    expect((await Promise.all(paged)).flatMap(({ body }) => body.movies.map(({ id }) => id))).toEqual(ids)
  })

  const page = (current_page: number, page_size: number, last_page: number, total_records = 10) => ({
    current_page,
    page_size,
    first_page: 1,
    last_page,
    total_records,
  })
  test.each<[string, number[], Metadata]>([
    ['', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], page(1, 20, 1)],
    ['page_size=1', [1], page(1, 1, 10)],
    ['page_size=100', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], page(1, 100, 1)],
    ['page_size=5&page=2', [6, 7, 8, 9, 10], page(2, 5, 2)],
    ['page_size=4&page=3', [9, 10], page(3, 4, 3)],
    ['page_size=4&page=4', [], page(4, 4, 3)],
    ['page_size=100&page=10000000', [], page(10_000_000, 100, 1)],
    ['genres=drama&page_size=2&page=2&sort=-id', [5, 4], page(2, 2, 3, 5)],
    ['genres=drama&page_size=2&page=9', [], page(9, 2, 3, 5)],
    ['genres=western&page=2', [], page(2, 20, 1, 0)],
  ])('paged by %j', async (query, ids, metadata) => {
    const { status, body } = await list(`?${query}`)
    expect([status, body.movies.map(({ id }) => id), body.metadata]).toEqual([200, ids, metadata])
    expect(Object.keys(body.metadata)).toEqual(Object.keys(metadata))
  })

  test('links its pages for any query, and a page past the end links to the last', async () => {
    const kept = { title: '&', sort: '-year', page_size: '3', created_by: '', director: ' "<>' }
    const start = await list(`?${new URLSearchParams(kept)}&page=1`)
    for (const [first, onward, back] of [
      ['first', 'next', 'prev'],
      ['last', 'prev', 'next'],
    ] as const) {
      const seen: number[] = []
      let path = linksOf(start.headers)[first]
      let came: string | undefined
      while (path !== undefined) {
        const url = new URL(path, server().url)
        expect(Object.fromEntries(url.searchParams)).toMatchObject(kept)
        const { headers, body } = await list(url.search)
        const links = linksOf(headers)
        expect(links).toMatchObject({
          first: expect.stringMatching(/page=1$/),
          last: expect.stringMatching(/page=4$/),
        })
        expect(links[back]).toBe(came)
        seen.splice(onward === 'next' ? seen.length : 0, 0, ...body.movies.map(({ id }) => id))
        came = path
        path = links[onward]
      }
      expect(seen).toEqual([8, 9, 1, 3, 7, 10, 4, 2, 5, 6])
    }
    const at = (page: number) => `/v1/movies?page_size=3&page=${page}`
    const past = linksOf((await list('?page_size=3&page=9')).headers)
    expect(past).toEqual({ first: at(1), prev: at(4), last: at(4) })
  })

  const sortKeys =
    'id, -id, title, -title, year, -year, runtime, -runtime, release_date, -release_date, relevance'
  const date = 'must be a calendar date like 2016-11-23'
  const tooLong = 'must not be more than 500 characters long'
  const once = 'must be given only once'
  const UNKNOWN = 'is not a known parameter'
  const meant = (name: string) => `${UNKNOWN}, did you mean "${name}"?`
  const creator = 'must be the id of a user, or me'
  const pages = 'must be between 1 and 10000000'
  const sizes = 'must be between 1 and 100'
  const sorts = `must be one of ${sortKeys}`
  const long = 'a'.repeat(501)
  const each = (name: string, values: string, message: string) =>
    values
      .split(' ')
      .map((value): [string, Record<string, string>] => [`${name}=${value}`, { [name]: message }])
  test.each<[string, Record<string, string>]>([
    [
      'title=a&title=b&genres=%00&director=%00x&cast=x&cast=x&year=x&release_date=2023-02-29&release_date_from=x' +
        '&release_date_to=2016-1-1&genres_any=%00&year_from=-1&year_to=10000&runtime_from=1.5&runtime_to=100001' +
        '&imdb_id=tt1&external_id=a%2Fb&favourite=yes&include=cast&created_by=0&page=0&page_size=101&sort=rating&rating=5&__proto__=1',
      {
        title: once,
        genres: 'must not contain a NUL character',
        director: 'must not contain a NUL character',
        cast: once,
        year: 'must be an integer',
        release_date: date,
        release_date_from: date,
        release_date_to: date,
        genres_any: 'must not contain a NUL character',
        year_from: 'must be an integer',
        year_to: 'must be between 0 and 9999',
        runtime_from: 'must be an integer',
        runtime_to: 'must be between 0 and 100000',
        imdb_id: 'must be "tt" and 7 to 10 digits, such as "tt3521164"',
        external_id: 'must not contain a slash or a backslash',
        favourite: 'must be true or false',
        include: 'must be favourite',
        created_by: creator,
        page: pages,
        page_size: sizes,
        sort: sorts,
        rating: UNKNOWN,
        ['__proto__']: UNKNOWN,
      },
    ],
    ['Title=a&titel=b', { Title: meant('title'), titel: meant('title') }],
    ['genre=drama&pageSize=1', { genre: meant('genres'), pageSize: meant('page_size') }],
    ['foo=1&foo=2', { foo: UNKNOWN }],
    ['page=1&page=1&sort=id&sort=id&sort=id', { page: once, sort: once }],
    [`title=${long}&genres=${long}&director=${long}`, { title: tooLong, genres: tooLong, director: tooLong }],
    ['page_size=0&year=10000', { page_size: sizes, year: 'must be between 0 and 9999' }],
    ...each('page', '0 10000001', pages),
    ...each('page_size', '-1 1.0 01 %2B1 1e1 x 1%20 999999999999999999999999 0x1', 'must be an integer'),
    ...each('year', '-1 1999.0 01999 %2B1999 1e3 x', 'must be an integer'),
    ...each('created_by', '0 -1 01 1.5 ME you 9223372036854775808 2,3', creator),
    ...each('sort', 'version added id,title id;drop - 1', sorts),
    ['favourite=True', { favourite: 'must be true or false, did you mean "true"?' }],
    ['include=favourites', { include: 'must be favourite, did you mean "favourite"?' }],
    ['favourite=true&favourite=true', { favourite: once }],
    ['sort=ID', { sort: `${sorts}, did you mean "id"?` }],
    ['sort=-yaer', { sort: `${sorts}, did you mean "-year"?` }],
    ['sort=releaseDate', { sort: `${sorts}, did you mean "release_date"?` }],
  ])('refuses %s', async (query, error) => {
    const { status, body } = await list(`?${query}`)
    expect([status, body.error]).toEqual([422, error])
  })

  test('names at most 20 unknown parameters, and survives odd bytes', async () => {
    const { body } = await list(`?${Array.from({ length: 60 }, (_, i) => `x${i}=1`).join('&')}&page=0`)
    expect(Object.keys(body.error)).toHaveLength(21)
    expect(body.error.page).toBe('must be between 1 and 10000000')
    for (const query of ['?title=%ff', '?title=%zz', '?title=%ED%A0%80', '?&&', '??title=1', '?=1'])
      expect([200, 422]).toContain((await list(query)).status)
  })

  test('only reads: all movies still exist', async () => {
    expect(titlesOf(await list(''))).toEqual(all)
  })
})
