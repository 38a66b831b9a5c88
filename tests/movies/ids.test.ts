import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// The poster, the IMDb id and the external id of a movie; tests/movies/external-id.test.ts tests requests by external id.

type Body = { movie: MovieJson; error: unknown }

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

let titles = 0
const ask = (method: string, path: string, body?: unknown) =>
  server.request<Body>(method, path, { token: alice.token, body })
const post = (more: object = {}) => ask('POST', '/v1/movies', { ...aMovie(`Movie ${++titles}`), ...more })
const patch = (id: number, body: object) => ask('PATCH', `/v1/movies/${id}`, body)

const PADDED = 'must not start or end with white space'
const NO_URL = 'must be an http or https URL, such as "https://example.com/poster.jpg"'
const NO_IMDB_ID = 'must be "tt" and 7 to 10 digits, such as "tt3521164"'
const URL_OF = (length: number) => `https://example.com/${'x'.repeat(length - 20)}`

const rules: [field: string, said: string, values: unknown[]][] = [
  ['poster', 'ok', ['http://a', 'HTTPS://EXAMPLE.com/ä?b#c', 'https://u:p@[::1]:8080/p.jpg', URL_OF(2000)]],
  [
    'poster',
    NO_URL,
    ['ftp://a/b', '//a/b', '/b.jpg', 'a.jpg', 'http:a', 'http://', 'http://a b', 'http://a\n'],
  ],
  [
    'poster',
    NO_URL,
    [' http://a', 'http://a\u0000b'.replace('\u0000', '\u0001'), 'https://[1', 'javascript:0'],
  ],
  ['poster', 'must not be more than 2000 characters long', [URL_OF(2001)]],
  ['poster', 'must be a string', [1, ['http://a']]],
  ['poster', 'must not be empty', ['']],
  ['poster', 'must not contain a NUL character', ['http://a/\0']],
  [
    'imdb_id',
    NO_IMDB_ID,
    ['tt123456', '3521164', 'TT3521164', 'tt12345678901', 'tt٣٥٢١١٦٤', 'tt3521164\n', '', 1, []],
  ],
  ['imdb_id', 'must be below tt90000000', ['tt90000000', 'tt0090000000', 'tt9999999999']],
  ['external_id', 'ok', ['a b', '.a', '...', 'x'.repeat(200), '🎬'.repeat(200), 'ID', 'id', '%2F']],
  ['external_id', 'must not be more than 200 characters long', ['x'.repeat(201)]],
  ['external_id', 'must not contain a slash or a backslash', ['a/b', 'a\\b']],
  ['external_id', 'must not contain control characters', ['a\nb', '\u007f', '\u0085']],
  ['external_id', 'must not be "." or "..", which mean folders in a path', ['.', '..']],
  ['external_id', PADDED, [' a', 'a ', '\u3000a']],
  ['external_id', 'must be a string', [1, ['a']]],
  ['external_id', 'must not be empty', ['']],
  ['external_id', 'must not contain a lone surrogate', ['a\ud800']],
]

describe('a rule', () => {
  test.each(rules)('over %s: %s', async (field, message, values) => {
    const { movie } = (await post()).body
    for (const value of values) {
      const [posted, patched] = [await post({ [field]: value }), await patch(movie.id, { [field]: value })]
      if (message === 'ok') {
        expect([posted.status, posted.body.movie]).toMatchObject([201, { [field]: value }])
        expect((await ask('GET', `/v1/movies/${posted.body.movie.id}`)).text).toBe(posted.text)
        await ask('DELETE', `/v1/movies/${posted.body.movie.id}`)
        expect((await patch(movie.id, { [field]: value })).body.movie).toMatchObject({ [field]: value })
        expect((await patch(movie.id, { [field]: null })).body.movie).not.toHaveProperty(field)
      } else
        for (const { status, body } of [posted, patched])
          expect({ value, status, error: body.error }).toEqual({
            value,
            status: 422,
            error: { [field]: message },
          })
    }
  })

  test.each([
    ['tt3521164', 'tt3521164'],
    ['tt0000003', 'tt0000003'],
    ['tt0000000004', 'tt0000004'],
    ['tt0012345678', 'tt12345678'],
    ['tt89999999', 'tt89999999'],
  ])('over imdb_id keeps %s as %s', async (sent, kept) => {
    const { movie } = (await post({ imdb_id: sent })).body
    expect(movie.imdb_id).toBe(kept)
    expect((await patch(movie.id, { imdb_id: null })).body.movie).not.toHaveProperty('imdb_id')
    expect((await patch(movie.id, { imdb_id: sent })).body.movie.imdb_id).toBe(kept)
  })
})

test('the keys have the order of the contract', async () => {
  const { text } = await post({
    title: 'Moana',
    external_id: 'o',
    imdb_id: 'tt3521165',
    poster: 'http://p',
    synopsis: 's',
  })
  expect(text).toContain(
    '"genres":["drama"],"synopsis":"s","poster":"http://p","imdb_id":"tt3521165","external_id":"o","created_by":{',
  )
})

describe('a value that another movie has', () => {
  const taken: [string, unknown, unknown, string][] = [
    ['title', 'The Twin', 'THE  TWIN', 'a movie with this title already exists'],
    ['imdb_id', 'tt0000077', 'tt0000000077', 'a movie with this IMDb id already exists'],
    ['external_id', 'twin', 'twin', 'a movie with this external id already exists'],
  ]
  test.each(taken)('as its %s is refused, with a link to it', async (field, first, second, message) => {
    const { id } = (await post({ [field]: first })).body.movie
    const other = (await post()).body.movie
    for (const { status, body, headers } of [
      await post({ [field]: second }),
      await patch(other.id, { [field]: second }),
    ])
      expect([status, body.error, headers.get('link')]).toEqual([
        422,
        { [field]: message },
        `</v1/movies/${id}>; rel="duplicate"`,
      ])
    const rule = await post({ [field]: second, year: 1 })
    expect([Object.keys(Object(rule.body.error)), rule.headers.get('link')]).toEqual([['year'], null])
    expect((await patch(id, { [field]: second })).status).toBe(200)
  })

  test('is reported for each of many simultaneous requests', async () => {
    const { id } = (await post({ title: 'Many', imdb_id: 'tt0000099', external_id: 'many' })).body.movie
    const bodies = [{ title: 'many' }, { imdb_id: 'tt0000099' }, { external_id: 'many' }, {}]
    const answers = await Promise.all(Array.from({ length: 20 }, (_, place) => post(bodies[place % 4])))
    for (const [place, { status, body, headers }] of answers.entries()) {
      const [field] = Object.keys(bodies[place % 4] ?? {})
      if (field === undefined) expect([status, headers.get('link')]).toEqual([201, null])
      else
        expect([Object.keys(Object(body.error)), headers.get('link')]).toEqual([
          [field],
          `</v1/movies/${id}>; rel="duplicate"`,
        ])
    }
  })
})
