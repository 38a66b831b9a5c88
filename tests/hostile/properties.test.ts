import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Answer, startTestServer, type TestServer, type TestUser } from '../support/server'

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer({}, { keepMovies: true })
  alice = await server.newUser()
})
afterAll(() => server.stop())

const RUNS = 200
// Values for the fields of a body, of wrong and of right types.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 600 }),
  fc
    .tuple(fc.string(), fc.constantFrom('\0', '\ud800', '\udc00', '\u2028'), fc.string())
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '',
    ' ',
    '107 mins',
    '2016-11-23',
    '0000-00-00',
    'a@example.com',
    '\0',
    '\ud800',
    "'; drop table movies; --",
  ),
)
const value = fc.oneof(
  text,
  fc.jsonValue({ maxDepth: 5 }),
  fc.array(text, { maxLength: 8 }),
  fc.integer(),
  fc.double(),
  fc.constant(null),
)
/** Bodies from all wrong to almost right: most defects show only if everything else is valid. */
const bodyLike = (right: Record<string, unknown>) =>
  fc.oneof(
    { weight: 3, arbitrary: almost(right) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...Object.keys(right)), value) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')),
        value,
      ),
    },
  )
const almost = (right: Record<string, unknown>) =>
  fc.tuple(fc.constantFrom(...Object.keys(right)), value).map(([key, wrong]) => ({ ...right, [key]: wrong }))

/** No 5xx, and every refusal in the contract's envelope. */
function isSound({ status, body, text }: Answer) {
  if (status >= 500) throw new Error(`${status} ${text}`)
  expect(text).not.toMatch(/\$argon2|node_modules|\bat .*\.ts:\d|syntax error|relation "/)
  if (status < 400) return
  const { error } = body
  const isEnvelope =
    typeof error === 'string' ||
    (typeof error === 'object' &&
      error !== null &&
      Object.values(error).every((message) => typeof message === 'string'))
  expect({ status, isEnvelope, keys: Object.keys(body) }).toEqual({
    status,
    isEnvelope: true,
    keys: ['error'],
  })
}

describe('any body gets a valid response', () => {
  const movie = {
    title: 'A Title',
    year: 2016,
    runtime: '107 mins',
    genres: ['drama'],
    director: 'A Director',
    cast: ['An Actor'],
    release_date: '2016-11-23',
    synopsis: 'What happens.',
  }
  const token = 'A'.repeat(26)
  const email = 'a@example.com'
  const password = 'a password of somebody'
  const endpoints: [method: string, path: string, right: Record<string, unknown>][] = [
    ['POST', '/v1/movies', movie],
    ['PATCH', '/v1/movies/:own', movie],
    ['POST', '/v1/users', { name: 'A', email, username: 'abc', password }],
    ['PUT', '/v1/users/activated', { token }],
    ['PUT', '/v1/users/password', { token, password }],
    ['POST', '/v1/tokens/authentication', { email, password }],
    ['POST', '/v1/tokens/activation', { email }],
    ['POST', '/v1/tokens/password-reset', { email }],
  ]
  test.each(endpoints)('%s %s', async (method, path, right) => {
    const own = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: { ...movie, title: `own ${method} ${path}` },
    })
    const target = path.replace(':own', String(own.body.movie?.id))
    await fc.assert(
      fc.asyncProperty(bodyLike(right), async (body) => {
        isSound(await server.request(method, target, { token: alice.token, body }))
      }),
      { numRuns: RUNS },
    )
  })
})

test('any bytes as a body get a valid response', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const headers = { 'Content-Type': 'application/json' }
      const answer = await server.request('POST', '/v1/movies', {
        token: alice.token,
        rawBody: Uint8Array.from(bytes),
        headers,
      })
      isSound(answer)
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }),
    { numRuns: RUNS },
  )
})

describe('any query gets a valid response', () => {
  const names = [
    'title',
    'genres',
    'genres_any',
    'director',
    'cast',
    'year',
    'year_from',
    'runtime_to',
    'favourite',
    'include',
    'release_date',
    'release_date_from',
    'release_date_to',
    'created_by',
    'page',
    'page_size',
    'sort',
  ]
  const parameter = fc.tuple(
    fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: fc.string() }),
    fc.oneof(
      text,
      fc.integer().map(String),
      fc.constantFrom(
        'me',
        '-year',
        'added',
        '1e3',
        '0x10',
        '9223372036854775807',
        '%',
        '_',
        '& | ! ( )',
        '<->',
      ),
    ),
  )
  test.each(['/v1/movies', '/v1/users/me/favourites'])('GET %s', async (path) => {
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 6 }), async (parameters) => {
        const well = parameters.map(([name, value]): [string, string] => [
          name.toWellFormed(),
          value.toWellFormed(),
        ])
        isSound(await server.request('GET', `${path}?${new URLSearchParams(well)}`, { token: alice.token }))
      }),
      { numRuns: 2 * RUNS },
    )
  })
  test('even if it is not a query at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 60 }), async (rest) => {
        const path = `/v1/movies?${rest.replace(/[^\x21-\x7e]/g, '%')}`
        isSound(await server.request('GET', path, { token: alice.token }))
      }),
      { numRuns: RUNS },
    )
  })
})

test('any path and any token get a valid response', async () => {
  const printable = fc.string({ maxLength: 60 }).map((value) => value.replace(/[^\x21-\x7e]/g, '~'))
  await fc.assert(
    fc.asyncProperty(printable, printable, async (segment, token) => {
      const answer = await server.request('GET', `/v1/movies/${encodeURIComponent(segment)}`, { token })
      isSound(answer)
      // Dots and empty segments are removed from a URL before it is sent.
      expect([401, 404]).toContain(answer.status)
    }),
    { numRuns: RUNS },
  )
})
