import { afterAll, beforeAll, expect, test } from 'bun:test'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
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
  ])
    await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie(title) })
})
afterAll(() => server.stop())

// PostgreSQL's parser takes some of these titles for a path, a host or a negative number.
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
]
test.each(searches)('%p finds %p', async (words, found) => {
  const query = new URLSearchParams({ title: words })
  const { body } = await server.request<{ movies: { title: string }[] }>('GET', `/v1/movies?${query}`, {
    token: alice.token,
  })
  expect(body.movies.map(({ title }) => title)).toEqual(found)
})

test.each(['...', '-', '<>', '😀', '– —'])('%p holds no word, and so counts as not given', async (title) => {
  const query = new URLSearchParams({ title })
  const { body } = await server.request('GET', `/v1/movies?${query}`, { token: alice.token })
  expect(body).toMatchObject({ metadata: { total_records: 9 } })
})
