import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { omdbService } from '../support/omdb'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const sentence = (letters: number, end = '.') => `${'x'.repeat(letters - end.length)}${end}`
const long = 'word '.repeat(100).trimEnd()
const plots: [name: string, synopsis: string, short: string][] = [
  ['as long as a short one may be', '🎬'.repeat(240), '🎬'.repeat(240)],
  ['cut between words', long, `${'word '.repeat(48).trimEnd()}…`],
  ['that has no blank', 'x'.repeat(300), `${'x'.repeat(240)}…`],
  ['cut after a sentence', `One. Two! Three? Four ${long}`, 'One. Two! Three?'],
  ['with a quoted end', `He said: “Go!” And ${long}`, 'He said: “Go!”'],
  ['whose sentence ends at the last character', `${sentence(240)} More.`, sentence(240)],
  ['whose sentence ends one too late', `One. ${sentence(236)} More.`, 'One.'],
  [
    'with dots inside words',
    `3.14 and www.example.com ${long}`,
    `3.14 and www.example.com ${'word '.repeat(43).trimEnd()}…`,
  ],
  ['with an ellipsis and line ends', `So it goes…\nThen ${long}`, 'So it goes…'],
]

const { ask, title, synthetic, add, server, key } = omdbService([
  [
    'Moana',
    {
      year: 2016,
      runtime: '107 mins',
      genres: ['animation', 'science fiction', 'neo-noir', 'élan vital', 'TV'],
      director: 'Ron Clements, John Musker',
      cast: ['Auliʻi Cravalho', 'Dwayne Johnson'],
      release_date: '1995-03-05',
      synopsis: 'An island.',
      poster: 'https://example.com/moana.jpg',
      imdb_id: 'tt3521164',
    },
  ],
  ['Plain', { year: 1999, genres: ['drama'] }],
  ['Low Id', { imdb_id: 'tt0000012' }],
  ...plots.map(([name, synopsis]) => [`A plot ${name}`, { synopsis }] as const),
])

const NA = 'N/A'
const moana = {
  Title: 'Moana',
  Year: '2016',
  Rated: NA,
  Released: '05 Mar 1995',
  Runtime: '107 min',
  Genre: 'Animation, Science Fiction, Neo-Noir, Élan Vital, TV',
  Director: 'Ron Clements, John Musker',
  Writer: NA,
  Actors: 'Auliʻi Cravalho, Dwayne Johnson',
  Plot: 'An island.',
  Language: NA,
  Country: NA,
  Awards: NA,
  Poster: 'https://example.com/moana.jpg',
  Ratings: [],
  Metascore: NA,
  imdbRating: NA,
  imdbVotes: NA,
  imdbID: 'tt3521164',
  Type: 'movie',
  DVD: NA,
  BoxOffice: NA,
  Production: NA,
  Website: NA,
  Response: 'True',
}

describe('a movie', () => {
  test('has exactly OMDb’s keys, in its order', async () => {
    const { status, headers, text } = await ask({ i: 'tt3521164' })
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(text).toBe(JSON.stringify(moana))
    expect((await ask({ t: 'moana' })).text).toBe(text)
  })

  test('has N/A for everything unknown', async () => {
    expect((await ask({ t: 'plain' })).body).toEqual({
      ...moana,
      ...{ Title: 'Plain', Year: '1999', Released: NA, Runtime: '101 min', Genre: 'Drama', Director: NA },
      ...{ Actors: NA, Plot: NA, Poster: NA, imdbID: synthetic('Plain') },
    })
    const id = await add('Imported')
    await server().sql`update movies set runtime = null, genres = '{}', "cast" = '{}' where id = ${id}`
    expect((await ask({ t: 'imported' })).body).toMatchObject({ Runtime: NA, Genre: NA, Actors: NA })
  })

  test.each(plots)('has a plot %s', async (name, synopsis, short) => {
    const query = { t: `A plot ${name}` }
    expect((await ask(query)).body.Plot).toBe(short)
    expect((await ask({ ...query, plot: 'anything' })).body.Plot).toBe(short)
    expect((await ask({ ...query, plot: 'full' })).body.Plot).toBe(synopsis)
  })
})

describe('an id', () => {
  test('counts as a number, in any case', async () => {
    for (const i of ['tt3521164', 'TT3521164', 'Tt03521164', 'tt0003521164', ' tt3521164 '])
      expect([i, await title({ i })]).toEqual([i, 'Moana'])
    for (const i of ['tt0000012', 'tt0000000012']) expect([i, await title({ i })]).toEqual([i, 'Low Id'])
  })

  test('may be synthetic, even if there is a real one', async () => {
    expect(await title({ i: synthetic('Plain') })).toBe('Plain')
    expect((await ask({ i: synthetic('Moana') })).body).toEqual(moana)
  })

  test('in another form, or of no movie, gets a different error', async () => {
    const wrong = [
      'tt12',
      'tt123456',
      'tt12345678901',
      'moana',
      '3521164',
      'tt352116x',
      'tt-3521164',
      '１',
      '\0',
    ]
    for (const i of wrong) expect([i, await title({ i })]).toEqual([i, 'Incorrect IMDb ID.'])
    for (const i of ['tt0000001', 'tt90000000', 'tt99999999', 'tt9999999999'])
      expect([i, await title({ i })]).toEqual([i, 'Error getting data.'])
    for (const query of ['', 'x=1', 'i=', 't=', 's=%20', 'i=&t=&s=', 'callback=x'])
      expect([query, (await ask(query)).text]).toEqual([
        query,
        '{"Response":"False","Error":"Incorrect IMDb ID."}',
      ])
  })
})

describe('the parameters', () => {
  test('have names in any case, and the first non-empty value counts', async () => {
    for (const query of ['T=moana', 'I=tt3521164', 't=&t=moana&t=plain', 't=%20%20&T=moana', 't=+moana+'])
      expect([query, (await ask(query)).body.Title]).toEqual([query, 'Moana'])
    expect((await ask('T=moana&R=XML')).text).toStartWith('<root response="True">')
    expect((await ask(`t=moana&APIKEY=${key()}`, { 'X-API-Key': 'x' })).status).toBe(200)
  })

  test('take precedence in the order s, i, t', async () => {
    const { body } = await ask('s=moana&i=tt0000012&t=plain')
    expect(body).toMatchObject({ totalResults: '1' })
    expect(await title({ i: 'tt0000012', t: 'plain' })).toBe('Low Id')
    expect(await title({ i: 'wrong', t: 'plain' })).toBe('Incorrect IMDb ID.')
  })

  test('y and type count with t, and not with i; other values count as not given', async () => {
    expect(await title({ t: 'moana', y: '2016', type: 'movie' })).toBe('Moana')
    expect(await title({ t: 'moana', y: '2015' })).toBe('Movie not found!')
    for (const y of ['undefined', '', '16', '20166', 'x', '２０１６', '-2016'])
      expect([y, await title({ t: 'moana', y })]).toEqual([y, 'Moana'])
    for (const type of ['undefined', '', 'film']) expect(await title({ t: 'moana', type })).toBe('Moana')
    expect(await title({ t: 'moana', type: 'series' })).toBe('Series not found!')
    for (const type of ['episode', 'game']) expect(await title({ t: 'moana', type })).toBe('Movie not found!')
    expect(await title({ i: 'tt3521164', y: '1900', type: 'series' })).toBe('Moana')
  })

  test('Season and Episode find nothing', async () => {
    const ones: Record<string, string>[] = [{ i: 'tt3521164' }, { t: 'moana' }]
    for (const one of ones) {
      expect(await title({ ...one, Season: '1' })).toBe('Series or season not found!')
      expect(await title({ ...one, Season: '1', Episode: '2' })).toBe('Series or episode not found!')
      expect(await title({ ...one, Season: 'undefined', Episode: 'undefined' })).toBe('Moana')
    }
    expect((await ask({ s: 'moana', Season: '1' })).body.totalResults).toBe('1')
  })

  test('of OMDb that are not supported change nothing', async () => {
    const { text } = await ask('t=moana')
    const more = 'tomatoes=true&v=1&format=x&callback=alert&page=7&s[]=x&t[]=y&constructor=z&__proto__=1'
    expect((await ask(`t=moana&${more}`)).text).toBe(text)
  })
})
