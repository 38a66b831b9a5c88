import { beforeAll, describe, expect, test } from 'bun:test'
import { listService } from '../support/lists'
import { aMovie } from '../support/server'

const { server, alice, list } = listService()

/** Title, year, director, cast. */
const movies = [
  'Spirited Away|2001|Hayao Miyazaki|Rumi Hiiragi',
  'Spirit|1999',
  'The Spirit|2008|Frank Miller|Samuel L. Jackson,Scarlett Johansson',
  'Ghost|1990|Jerry Zucker|Spirit Cloud',
  'The Godfather|1972|Francis Ford Coppola|Al Pacino,Marlon Brando',
  'The Godfather Part II|1974|Francis Ford Coppola|Al Pacino,Robert De Niro',
  'Spider-Man|2002|Sam Raimi|Tobey Maguire',
  'Spider-Man 2|2004|Sam Raimi|Tobey Maguire',
  'Seven|1995|David Fincher|Brad Pitt,Morgan Freeman',
  'Fast & Furious|2009|Justin Lin|Vin Diesel',
  'Pride and Prejudice|2005|Joe Wright|Keira Knightley',
  'M*A*S*H|1970|Robert Altman|Elliott Gould',
  "Ocean's Eleven|2001|Steven Soderbergh|George Clooney",
  'Amélie|2001|Jean-Pierre Jeunet|Audrey Tautou',
  '千と千尋の神隠し|2001',
  'Ночной дозор|2004|Тимур Бекмамбетов',
  'องค์บาก|2003|ปรัชญา ปิ่นแก้ว',
  '8½|1963|Federico Fellini|Marcello Mastroianni',
  'The Girl with the Dragon Tattoo|2011|David Fincher|Daniel Craig',
  ...Array.from({ length: 12 }, (_, i) => `Heat ${i + 1}|${1980 + (i % 3)}|Michael Mann`),
].map((line) => line.split('|'))

beforeAll(async () => {
  for (const [title = '', year, director, cast] of movies) {
    const body = aMovie(title, { year: Number(year), director, cast: cast?.split(',') })
    const { status } = await server().request('POST', '/v1/movies', { token: alice().token, body })
    expect(status).toBe(201)
  }
})

const ask = (parameters: Record<string, string>) => list(`?${new URLSearchParams(parameters)}`)
const titles = async (parameters: Record<string, string>) =>
  (await ask(parameters)).body.movies.map(({ title }) => title)

describe('q', () => {
  test.each<[string, string[]]>([
    // The title itself, titles that begin so, all words in the title, words in director and cast.
    ['spirit', ['Spirit', 'Spirited Away', 'The Spirit', 'Ghost']],
    ['spiri', ['Spirited Away', 'Spirit', 'The Spirit', 'Ghost']],
    ['SPIRITED aw', ['Spirited Away']],
    ['away spirited', ['Spirited Away']],
    ['the godfather', ['The Godfather', 'The Godfather Part II']],
    ['pacino godfather ii', ['The Godfather Part II']],
    ['fincher', ['The Girl with the Dragon Tattoo', 'Seven']],
    ['amelie', ['Amélie']],
    ['fast and furious', ['Fast & Furious']],
    ['fast&furious', ['Fast & Furious']],
    ['fast an', ['Fast & Furious']],
    ['fast adn furious', ['Fast & Furious']],
    ['fastand furious', ['Fast & Furious']],
    ['pride & prejudice', ['Pride and Prejudice']],
    ['and', ['Fast & Furious', 'Pride and Prejudice', 'Spider-Man', 'Spider-Man 2']],
    ['&', ['Fast & Furious', 'Pride and Prejudice', 'Spider-Man', 'Spider-Man 2']],
    ['8 1/2', ['8½']],
    ['千と', ['千と千尋の神隠し']],
    ['ночн', ['Ночной дозор']],
    ['องค์', ['องค์บาก']],
    // Written nearly so.
    ['godfahter', ['The Godfather', 'The Godfather Part II']],
    ['godfathers', ['The Godfather', 'The Godfather Part II']],
    ['the godfther', ['The Godfather', 'The Godfather Part II']],
    ['thegodfather', ['The Godfather', 'The Godfather Part II']],
    ['god father', ['The Godfather', 'The Godfather Part II']],
    ['se7en', ['Seven']],
    ['spiderman', ['Spider-Man', 'Spider-Man 2']],
    ['spidermann', []],
    ['spder man 2', ['Spider-Man 2', 'Spider-Man']],
    ['mash', ['M*A*S*H']],
    ['oceans eleven', ["Ocean's Eleven"]],
    ['girl with a dragon tattoo', ['The Girl with the Dragon Tattoo']],
    ['ночнои дозро', ['Ночной дозор']],
    ['away spirited x', ['Spirited Away']],
    ['zzzzzz', []],
    // One letter is no beginning.
    ['s', ["Ocean's Eleven", 'M*A*S*H']],
  ])('%p finds %p', async (q, found) => {
    expect(await titles({ q })).toEqual(found)
  })

  test('looks for likeness only where fewer than ten are left after all filters', async () => {
    const all = await ask({ q: 'heat', page_size: '5' })
    expect(all.body.metadata).toMatchObject({ total_records: 12, last_page: 3 })
    expect(all.body.movies.map(({ title }) => title)).toEqual([
      'Heat 3',
      'Heat 6',
      'Heat 9',
      'Heat 12',
      'Heat 2',
    ])
    const body = aMovie('Heart', { year: 1980 })
    await server().request('POST', '/v1/movies', { token: alice().token, body })
    expect((await ask({ q: 'heat' })).body.metadata.total_records).toBe(12)
    expect(await titles({ q: 'heat', year: '1980' })).toEqual([
      'Heat 1',
      'Heat 4',
      'Heat 7',
      'Heat 10',
      'Heart',
    ])
    expect(await titles({ q: 'heat', year_to: '1980', sort: 'title', page_size: '2', page: '2' })).toEqual([
      'Heat 10',
      'Heat 4',
    ])
    expect((await ask({ q: 'heat', year: '1980', page: '9' })).body.metadata.total_records).toBe(5)
  })

  test('knows the words of a title as soon as it is there, and of a changed one', async () => {
    const body = aMovie('Koyaanisqatsi', { year: 1982 })
    const { token } = alice()
    const created = await server().request<{ movie: { id: number } }>('POST', '/v1/movies', { token, body })
    expect(await titles({ q: 'koyanisqatsi' })).toEqual(['Koyaanisqatsi'])
    const path = `/v1/movies/${created.body.movie.id}`
    await server().request('PATCH', path, { token, body: { title: 'Powaqqatsi' } })
    expect([await titles({ q: 'koyanisqatsi' }), await titles({ q: 'powakqatsi' })]).toEqual([
      [],
      ['Powaqqatsi'],
    ])
    await server().request('DELETE', path, { token })
    expect(await titles({ q: 'powakqatsi' })).toEqual([])
  })

  test('is for favourites too, the most relevant first', async () => {
    const { token } = alice()
    for (const id of [2, 1, 3, 9]) await server().request('PUT', `/v1/users/me/favourites/${id}`, { token })
    const favourites = async (query: string) =>
      (
        await server().request<{ movies: { id: number }[] }>('GET', `/v1/users/me/favourites?${query}`, {
          token,
        })
      ).body.movies.map(({ id }) => id)
    expect(await favourites('q=spirit')).toEqual([2, 1, 3])
    expect(await favourites('q=spirit&sort=-added')).toEqual([3, 1, 2])
    expect(await favourites('q=se7en&sort=relevance')).toEqual([9])
  })

  test('without a word counts as not given', async () => {
    const all = (await ask({})).text
    for (const q of ['', ' ', '...', '-', '<>', '\u00ad']) expect((await ask({ q })).text).toBe(all)
  })

  const sorts = expect.stringMatching(/^must be one of id, -id, title, .*, -release_date, relevance/)
  const withoutQ = { sort: 'can be relevance only with q, a text to look for' }
  test.each<[string, object]>([
    ['sort=relevance', withoutQ],
    ['q=&sort=relevance', withoutQ],
    ['q=...&sort=relevance&page=0', { ...withoutQ, page: 'must be between 1 and 10000000' }],
    ['q=a&sort=-relevance', { sort: sorts }],
    ['q=a&q=b', { q: 'must be given only once' }],
    ['q=a&q=b&sort=relevance', { q: 'must be given only once', ...withoutQ }],
    [`q=${'a'.repeat(501)}`, { q: 'must not be more than 500 characters long' }],
    [`q=${Array.from({ length: 33 }, (_, i) => i)}`, { q: 'must not hold more than 32 different words' }],
    ['q=%00', { q: 'must not contain a NUL character' }],
  ])('refuses %s', async (query, error) => {
    const { status, body } = await list(`?${query}`)
    expect([status, body.error]).toEqual([422, error as never])
  })

  test('takes whatever people paste', async () => {
    const texts = [
      'x'.repeat(500),
      'ﷲ'.repeat(500),
      '千'.repeat(500),
      `'; drop table movies; --`,
      "a' | 'b",
      'a\\',
      '!&|()<->:*',
    ]
    const words = Array.from({ length: 32 }, (_, i) => `w${i}`).join(' ')
    for (const q of [...texts, words, '😀 😀', 'a'.repeat(30), 'and', '& &'])
      expect([q, (await ask({ q })).status]).toEqual([q, 200])
  })
})
