import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { omdbService } from '../support/omdb'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const numbered = Array.from({ length: 25 }, (_, n) => `Number ${String(n).padStart(2, '0')}`)
const { ask, search, title, synthetic, server } = omdbService([
  ['The Alien', { year: 2001 }],
  ['Alien', { year: 1979, imdb_id: 'tt0078748', poster: 'https://example.com/a.jpg' }],
  ['Alien!', { year: 1990 }],
  ['Älien', { year: 1990 }],
  ['Alien Alien', { year: 2020 }],
  ['Alien 3', { year: 1992 }],
  ['Alien Resurrection', { year: 1997 }],
  ['Alien vs. Predator', { year: 2004 }],
  ['Predator', { year: 1987 }],
  ...numbered.map((name, n) => [name, { year: 1950 + (n % 5) }] as const),
])

const aliens = [
  // The text itself: the newest, then the lowest id.
  'Alien!',
  'Älien',
  'Alien',
  // The fewest different words, then the newest.
  'Alien Alien',
  'The Alien',
  'Alien Resurrection',
  'Alien 3',
  'Alien vs. Predator',
]

describe('a search', () => {
  test('finds titles with every word, in the order of the contract', async () => {
    for (const s of ['alien', 'ALIEN', 'Älien', '  alien!  ', 'alien alien alien'].slice(0, 4))
      expect([s, await search({ s })]).toEqual([s, aliens])
    expect(await search({ s: 'alien alien' })).toEqual([
      'Alien Alien',
      ...aliens.filter((t) => t !== 'Alien Alien'),
    ])
    expect(await search({ s: 'predator alien' })).toEqual(['Alien vs. Predator'])
    expect(await search({ s: 'alien', y: '1990' })).toEqual(['Alien!', 'Älien'])
  })

  test('returns exactly OMDb’s keys', async () => {
    const { text } = await ask({ s: 'alien', y: '1979' })
    expect(text).toBe(
      '{"Search":[{"Title":"Alien","Year":"1979","imdbID":"tt0078748","Type":"movie","Poster":"https://example.com/a.jpg"}],"totalResults":"1","Response":"True"}',
    )
    const { body } = await ask({ s: 'alien', y: '2001' })
    expect(body.Search).toEqual([
      { Title: 'The Alien', Year: '2001', imdbID: synthetic('The Alien'), Type: 'movie', Poster: 'N/A' },
    ])
  })

  test('has pages of ten, and an exact total on each', async () => {
    const pages = await Promise.all(['1', '2', '3'].map((page) => ask({ s: 'number', page })))
    const lists = pages.map(({ body }) => Object(body.Search) as { Title: string; Year: string }[])
    expect(lists.map((list) => list.length)).toEqual([10, 10, 5])
    expect(pages.map(({ body }) => body.totalResults)).toEqual(['25', '25', '25'])
    const all = lists.flat()
    expect(all.map(({ Title }) => Title).sort()).toEqual([...numbered].sort())
    expect(all.map(({ Year }) => Year)).toEqual(
      all
        .map(({ Year }) => Year)
        .sort()
        .reverse(),
    )
    expect((await ask({ s: 'number' })).text).toBe(pages[0]?.text ?? '')
  })

  test('finds nothing outside its pages', async () => {
    for (const page of ['4', '0', '-1', '101', '99999999999999999999'])
      expect([page, await search({ s: 'number', page })]).toEqual([page, 'Movie not found!'])
    expect(await search({ s: 'number', page: '4', type: 'series' })).toBe('Series not found!')
    for (const page of ['undefined', '1.5', 'x']) expect(await search({ s: 'alien', page })).toEqual(aliens)
  })

  test('distinguishes text without words from words that no title has', async () => {
    for (const s of ['!!!', '...', '" \' `', '\0', '\u0301']) {
      expect([s, await search({ s })]).toEqual([s, 'Too many results.'])
      expect([s, await title({ t: s })]).toEqual([s, 'Movie not found!'])
    }
    for (const type of ['series', 'episode', 'game', 'movie'])
      expect(await search({ s: 'nothing such', type })).toBe(
        type === 'series' ? 'Series not found!' : 'Movie not found!',
      )
    const many = Array.from({ length: 33 }, (_, n) => `alien${n}`).join(' ')
    for (const text of [many, 'x'.repeat(501)]) {
      expect(await search({ s: text })).toBe('Movie not found!')
      expect(await title({ t: text })).toBe('Movie not found!')
    }
  })
})

test('a title is the best of however many', async () => {
  await server().sql`insert into movies (title, year, runtime, genres)
    select 'Crowd ' || n, 1900 + n % 100, 90, '{drama}' from generate_series(1, 250) as n`
  for (const [text, y] of [
    ['crowd', ''],
    ['crowd', '1999'],
    ['CROWD 7', ''],
    ['crowd', '1800'],
  ] as const) {
    const found = await search({ s: text, y })
    const [first] = Array.isArray(found) ? found : [found]
    expect([text, y, await title({ t: text, y })]).toEqual([text, y, first])
  }
  expect(await title({ t: 'crowd' })).toBe('Crowd 99')
  await server().sql`insert into movies (title, year, runtime, genres) values ('Crowd!', 1900, 90, '{drama}')`
  expect(await title({ t: 'crowd' })).toBe('Crowd!')
  const asked = Array.from({ length: 40 }, (_, n) => `crowd ${n + 1}`)
  const found = await Promise.all([...asked, 'crowd', 'nothing such'].map((t) => title({ t })))
  expect(found).toEqual([...asked.map((t) => t.replace('c', 'C')), 'Crowd!', 'Movie not found!'])
})

test('a title is always the first of its search', async () => {
  const rows = await server().sql`select title from movies order by id`
  const texts = [
    ...rows.map(({ title }) => String(title)),
    'the',
    'predator',
    'number',
    'vs',
    'alien 3 alien',
  ]
  for (const text of texts)
    for (const y of ['', '1990']) {
      const found = await search({ s: text, y })
      expect([text, y, await title({ t: text, y })]).toEqual([
        text,
        y,
        Array.isArray(found) ? found[0] : found,
      ])
    }
})
