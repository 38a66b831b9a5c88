import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseMovieList } from '../../src/search/query'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { areFaultsWanted } from '../support/faults'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// With the C locale, PostgreSQL itself knows only the letters of ASCII.
let database: TestDatabase
let server: TestServer
let alice: TestUser
beforeAll(async () => {
  database = await createTestDatabase(`template template0 encoding 'UTF8' locale 'C'`)
  server = await startTestServer({}, { database })
  await server.sql`truncate movies restart identity cascade`
  alice = await server.newUser()
  for (const title of [
    'Face/Off',
    'Mr.Robot',
    'Apollo-13',
    'Spider-Man',
    'WALL·E',
    'M*A*S*H',
    'Ocean’s 8',
    "Rosemary's Baby",
    'Tora! Tora! Tora!',
    '8½',
    'Police Squad 33⅓',
    '№5 Chanel',
    'Fast & Furious',
    'I♥Huckabees 😀',
    'Alien³',
    '$9.99',
    '+1',
    'Ночь и Ёлка',
    'ΟΔΥΣΣΈΑΣ',
    '千と千尋の神隠し',
    '하녀 이야기',
    'องค์บาก ภาค',
    'Auliʻi',
    'Sørlandet Łódź',
  ])
    await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie(title) })
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

// PostgreSQL's parser reads some of these titles as a path, a host or a negative number.
const searches: [words: string, found: string[]][] = [
  ['off', ['Face/Off']],
  ['face off', ['Face/Off']],
  ['face/off', ['Face/Off']],
  ['robot', ['Mr.Robot']],
  ['mr. robot', ['Mr.Robot']],
  ['apollo 13', ['Apollo-13']],
  ['13', ['Apollo-13']],
  ['spider man', ['Spider-Man']],
  ['man-spider', ['Spider-Man']],
  ['wall e', ['WALL·E']],
  ['WALL-E', ['WALL·E']],
  ['m a s h', ['M*A*S*H']],
  ["ocean's", ['Ocean’s 8']],
  ['rosemary', ["Rosemary's Baby"]],
  ['tora', ['Tora! Tora! Tora!']],
  ['mash', []],
  ['8', ['Ocean’s 8', '8½']],
  ['8½', ['8½']],
  ['8 1/2', ['8½']],
  ['1/2', ['8½']],
  ['33 1/3', ['Police Squad 33⅓']],
  ['33⅓', ['Police Squad 33⅓']],
  ['no 5', ['№5 Chanel']],
  ['№5', ['№5 Chanel']],
  ['and', []],
  ['fast & furious', ['Fast & Furious']],
  ['♥', ['I♥Huckabees 😀']],
  ['i ♥ huckabees', ['I♥Huckabees 😀']],
  ['😀', ['I♥Huckabees 😀']],
  ['♥😀', ['I♥Huckabees 😀']],
  ['😀\ufe0f', ['I♥Huckabees 😀']],
  ['🎬', []],
  ['☂ 8', []],
  ['alien 3', ['Alien³']],
  ['alien³', ['Alien³']],
  ['$', ['$9.99']],
  ['9.99', ['$9.99']],
  ['+1', ['+1']],
  ['НОЧЬ елка', ['Ночь и Ёлка']],
  ['οδυσσεας', ['ΟΔΥΣΣΈΑΣ']],
  ['οδυσσέασ', ['ΟΔΥΣΣΈΑΣ']],
  ['千尋', ['千と千尋の神隠し']],
  ['千と千尋の神隠し', ['千と千尋の神隠し']],
  ['하녀', ['하녀 이야기']],
  ['องค์บาก', ['องค์บาก ภาค']],
  ["auli'i", ['Auliʻi']],
  ['sorlandet lodz', ['Sørlandet Łódź']],
]
test.each(searches)('%p finds %p', async (words, found) => {
  const query = new URLSearchParams({ title: words })
  const { body } = await server.request<{ movies: { title: string }[] }>('GET', `/v1/movies?${query}`, {
    token: alice.token,
  })
  expect(body.movies.map(({ title }) => title)).toEqual(found)
})

const ask = async (parameters: Record<string, string>, path = '/v1/movies') =>
  server.request('GET', `${path}?${new URLSearchParams(parameters)}`, { token: alice.token })
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `w${i}`)

test('a repeated word counts once, in any spelling', async () => {
  const tora = await ask({ title: 'tora' })
  for (const text of ['tora '.repeat(100), 'Tora TORA! tóra '.repeat(31), 'tora.'.repeat(100)])
    expect((await ask({ title: text })).body).toEqual(tora.body)
  expect(tora.body).toMatchObject({ metadata: { total_records: 1 } })
  const [query] = await server.sql`select search_query(${'Tora TORA! tóra half ½ ½'})::text as query`
  expect(query).toEqual({ query: "'1' & '2' & 'half' & 'tora'" })
  expect((await ask({ genres: 'Drama,drama, DRAMA,'.repeat(25) })).body).toEqual((await ask({})).body)
})

test.each(['title', 'director', 'cast', 'genres'])('%s may have at most 32 different words', async (name) => {
  const mark = name === 'genres' ? ',' : ' '
  const holds = [...numbered(32), ...numbered(32), 'W1', 'Ẃ2'].slice(0, name === 'genres' ? 65 : undefined)
  const what = name === 'genres' ? 'genres' : 'words'
  const error = { [name]: `must not hold more than 32 different ${what}`, page: 'must be an integer' }
  for (const path of ['/v1/movies', '/v1/users/me/favourites']) {
    expect((await ask({ [name]: holds.join(mark) }, path)).status).toBe(200)
    const refused = await ask({ [name]: numbered(33).join(mark), page: 'x' }, path)
    expect([refused.status, refused.body]).toEqual([422, { error }])
  }
})

test.each(['...', '-', '<>', '&', '– —', '\u00ad', '\u00b4'])(
  '%p has no word, so it counts as not given',
  async (title) => {
    const query = new URLSearchParams({ title })
    const { body } = await server.request('GET', `/v1/movies?${query}`, { token: alice.token })
    expect(body).toMatchObject({ metadata: { total_records: 24 } })
  },
)

test.skipIf(!areFaultsWanted)(
  'the service and the database agree on every character whether it is a word',
  async () => {
    const characters: string[] = []
    // Unassigned and recently assigned characters may differ.
    for (let i = 1; i < 0x1fb00; i++)
      if (/[^\p{Cn}\p{Cs}]/u.test(String.fromCodePoint(i))) characters.push(String.fromCodePoint(i))
    const wordless = await server.sql<{ character: string }[]>`
    select character from unnest(${characters}::text[]) as character where search_query(character) is null`
    const isWordless = (title: string) => parseMovieList({ title }, 1).filters.title === undefined
    expect(wordless.map(({ character }) => character)).toEqual(characters.filter(isWordless))
  },
)

test('plain texts are read as all others are', async () => {
  const compared = await server.sql`
    select char from (select chr(code) as char from generate_series(1, 12288) as code) as characters
      cross join lateral (select 'Qu' || char || 'Ay' as text) as texts
    where array_remove(string_to_array(search_plain_text(text), ' '), '')
      <> array_remove(string_to_array(search_text(text), ' '), '')`
  expect([...compared]).toEqual([])
  // What is not ASCII is read in the other way.
  const folded = await server.sql`
    select char from (select chr(code) as char from generate_series(1, 127) as code) as characters
    where title_key('Qu' || char || 'Ay' || char) || 'é' <> title_key('Qu' || char || 'Ay' || char || 'É')
      or (genre_keys(array['Qu' || char || 'Ay']))[1] || 'é' <> (genre_keys(array['Qu' || char || 'AyÉ']))[1]`
  expect([...folded]).toEqual([])
})
