import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { permissions } from '../../src/permissions'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { GUARDED, KEYED, OPEN, PUBLIC } from './routes'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const isOpen = (route: string) => OPEN.includes(route) || /^GET \/docs(\/|$)/.test(route)

const MISSING = 'you must be authenticated to access this resource'
const INVALID = 'invalid or missing authentication token'
const NOT_ACTIVATED = 'your user account must be activated to access this resource'
const NOT_PERMITTED = "your user account doesn't have the necessary permissions to access this resource"
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const JSON_TYPE = 'application/json; charset=utf-8'

let server: TestServer
let routes: string[]
let owner: TestUser
let movieId: number
beforeAll(async () => {
  server = await startTestServer()
  routes = server.routes
  owner = await server.newUser()
  const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
    token: owner.token,
    body: aMovie('The Guarded Movie', { external_id: 'guarded' }),
  })
  movieId = created.body.movie.id
})
afterAll(() => server.stop())

const methodOf = (route: string) => route.split(' ')[0] ?? ''
const patternOf = (route: string) => route.split(' ')[1] ?? ''
const guarded = () => routes.filter((route) => !isOpen(route) && !KEYED.includes(route))
const patterns = () => [...new Set(routes.map(patternOf))]
/** Variants of a path: with an existing record, a missing one, and an invalid id. */
const pathsOf = (pattern: string) =>
  pattern.includes(':external_id')
    ? ['guarded', 'nothing', '%00'].map((id) => pattern.replace(':external_id', id))
    : pattern.includes(':id')
      ? [String(movieId), '999999', 'abc', '%00'].map((id) => pattern.replace(':id', id))
      : [pattern]
const allowOf = (pattern: string) => {
  const known = routes.filter((route) => patternOf(route) === pattern).map(methodOf)
  return [...known, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort()
}

type Sent = { token?: string; body?: string; type?: string }
/** Sends a request and checks the response against section 1. */
async function call(method: string, path: string, { token, body, type }: Sent = {}) {
  const response = await fetch(new URL(path, server.url), {
    method,
    body,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(type === undefined ? {} : { 'Content-Type': type }),
    },
  })
  const text = await response.text()
  const { headers, status } = response
  const isMovies = /^\/v1\/(movies|users\/me\/favourites)(\/|$)/.test(path)
  const isPrivate = !isMovies && /^\/v1\/(users|tokens|keys)(\/|$)/.test(path)
  expect(headers.get('x-request-id'), `${method} ${path}`).toMatch(/^[\w-]{36}$/)
  expect(headers.get('x-content-type-options'), `${method} ${path}`).toBe('nosniff')
  if (isMovies) expect(headers.get('cache-control'), `${method} ${path}`).toBe('private, no-cache')
  if (isMovies) expect(headers.get('vary'), `${method} ${path}`).toBe('Authorization')
  if (isPrivate) expect(headers.get('cache-control'), `${method} ${path}`).toBe('no-store')
  if (status >= 400) expect(headers.get('content-type'), `${method} ${path}`).toBe(JSON_TYPE)
  return { status, headers, text }
}

/** Bodies that must not be read before the sender is known. */
const brokenBodies: Sent[] = [
  {},
  { body: '{"title":', type: 'application/json' },
  { body: '', type: 'application/json' },
  { body: '{"secret_field": 1}', type: 'application/json' },
  { body: 'not JSON', type: 'text/plain' },
  { body: '['.repeat(100), type: 'application/json' },
]

/** Sends it to every path of every guarded route, with and without a body, and collects unexpected responses. */
async function walk(
  tokenFor: (route: string) => string | undefined,
  expected: (route: string) => [number, string],
) {
  const differing: string[] = []
  for (const route of guarded())
    for (const path of pathsOf(patternOf(route)))
      for (const sent of methodOf(route) === 'GET' ? [{}] : brokenBodies) {
        const answer = await call(methodOf(route), path, { ...sent, token: tokenFor(route) })
        const [status, error] = expected(route)
        if (status === 0) continue
        if (answer.status !== status || answer.text !== JSON.stringify({ error }))
          differing.push(`${route} ${path} ${sent.body}: ${answer.status} ${answer.text}`)
        if (status === 401) expect(answer.headers.get('www-authenticate')).toBe('Bearer')
      }
  return differing
}

describe('every route', () => {
  test('is on one of the lists, and the lists have no others', () => {
    expect(guarded().sort()).toEqual(Object.keys(GUARDED).sort())
    expect(routes).toEqual(expect.arrayContaining([...OPEN, ...KEYED, 'GET /docs', 'GET /docs/json']))
    expect(new Set(routes).size).toBe(routes.length)
  })

  const expectedOf = (route: string) => (methodOf(route) !== 'GET' ? 415 : route.includes(':') ? 404 : 200)
  test('that is open responds alike without a token and with a bad one', async () => {
    for (const route of routes.filter(isOpen)) {
      const [stranger, expired] = [
        await call(methodOf(route), patternOf(route)),
        await call(methodOf(route), patternOf(route), { token: 'bad' }),
      ]
      expect([route, stranger.status]).toEqual([route, expectedOf(route)])
      expect([route, expired.status]).toEqual([route, stranger.status])
    }
  })
})

describe('a guarded route', () => {
  test('refuses a client without a token before it looks at body or record', async () => {
    expect(
      await walk(
        () => undefined,
        () => [401, MISSING],
      ),
    ).toEqual([])
  })

  test('refuses a bad token', async () => {
    expect(
      await walk(
        () => 'bad.token.here',
        () => [401, INVALID],
      ),
    ).toEqual([])
  })

  test('refuses a user who is not activated', async () => {
    const inactive = await server.newUser({ activated: false })
    const needsOnlyToken = (route: string) => GUARDED[route] === 'authenticated'
    expect(
      await walk(
        (route) => (needsOnlyToken(route) ? undefined : inactive.token),
        (route) => (needsOnlyToken(route) ? [401, MISSING] : [403, NOT_ACTIVATED]),
      ),
    ).toEqual([])
  })

  test('refuses a user who has every permission except the required one', async () => {
    const without = new Map<string | undefined, TestUser>()
    for (const missing of permissions)
      without.set(
        missing,
        await server.newUser({ permissions: permissions.filter((name) => name !== missing) }),
      )
    const nobody = await server.newUser({ permissions: [] })
    const isPermission = (route: string) => without.has(GUARDED[route])
    const expected = (route: string): [number, string] =>
      isPermission(route) ? [403, NOT_PERMITTED] : [0, '']
    expect(await walk((route) => without.get(GUARDED[route])?.token, expected)).toEqual([])
    expect(await walk((route) => (isPermission(route) ? nobody.token : undefined), expected)).toEqual([])
  })

  test('takes a key where movies are read, and nowhere else', async () => {
    const body = { name: 'A television' }
    const made = await server.request<{ key: { key: string } }>('POST', '/v1/keys', {
      token: owner.token,
      body,
    })
    const { key } = made.body.key
    expect(
      await walk(
        (route) => (PUBLIC.includes(route) ? undefined : key),
        (route) => (PUBLIC.includes(route) ? [401, MISSING] : [403, NOT_PERMITTED]),
      ),
    ).toEqual([])
    for (const route of PUBLIC) {
      const [path = ''] = pathsOf(patternOf(route))
      expect([route, (await call('GET', path, { token: key })).status]).toEqual([route, 200])
      expect((await call('GET', `${path}?apikey=${key}`)).status).toBe(401)
    }
  })

  test('accepts all permitted users, and those refused have changed nothing', async () => {
    const read = await call('GET', `/v1/movies/${movieId}`, { token: owner.token })
    expect(read.status).toBe(200)
    expect(JSON.parse(read.text).movie).toMatchObject({ title: 'The Guarded Movie', version: 1 })
    const [count] = await server.sql`select count(*)::int from favourites`
    expect(count?.count).toBe(0)
    const forReaders = guarded().filter((name) => GUARDED[name] === 'movies:read')
    for (const route of forReaders.filter(
      (name) => !/^\w+ \/v1\/keys/.test(name) || name.startsWith('GET '),
    )) {
      const path = pathsOf(patternOf(route))[0] ?? ''
      expect([route, (await call(methodOf(route), path, { token: owner.token })).status]).toEqual([
        route,
        200,
      ])
    }
    const stranger = await server.newUser()
    for (const [method, path] of [
      ['PATCH', `/v1/movies/${movieId}`],
      ['DELETE', `/v1/movies/${movieId}`],
      ['PUT', '/v1/movies/external/guarded'],
    ] as const) {
      const answer = await call(method, path, {
        token: stranger.token,
        body: '{',
        type: 'text/plain',
      })
      expect(answer.status).toBe(403)
      expect(answer.text).toBe('{"error":"only the user who created this movie can change it"}')
    }
  })
})

describe('every path', () => {
  test('responds to HEAD as to GET, without a body', async () => {
    for (const pattern of patterns())
      for (const path of pathsOf(pattern))
        for (const token of [undefined, owner.token]) {
          const head = await call('HEAD', path, { token })
          expect([path, head.text]).toEqual([path, ''])
          if (!allowOf(pattern).includes('GET')) {
            expect([path, head.status]).toEqual([path, 405])
            continue
          }
          const get = await call('GET', path, { token })
          expect([path, head.status]).toEqual([path, get.status])
          for (const name of ['content-type', 'etag', 'link', 'www-authenticate'])
            expect([path, name, head.headers.get(name)]).toEqual([path, name, get.headers.get(name)])
        }
  })

  test('responds to OPTIONS with the allowed methods, for anyone', async () => {
    for (const pattern of patterns())
      for (const path of pathsOf(pattern)) {
        const answer = await call('OPTIONS', path)
        expect([path, answer.status, answer.text]).toEqual([path, 204, ''])
        expect([path, answer.headers.get('allow')?.split(', ').sort()]).toEqual([path, allowOf(pattern)])
      }
  })

  test('refuses any other method with 405, for any client', async () => {
    for (const pattern of patterns())
      for (const method of METHODS.filter((name) => !allowOf(pattern).includes(name)))
        for (const token of [undefined, owner.token]) {
          const answer = await call(method, pathsOf(pattern)[0] ?? '', { token })
          const error = `the ${method} method is not supported for this resource`
          const said = pattern.startsWith('/omdb') ? { Response: 'False', Error: error } : { error }
          expect([pattern, answer.status, answer.text]).toEqual([pattern, 405, JSON.stringify(said)])
          expect(answer.headers.get('allow')?.split(', ').sort()).toEqual(allowOf(pattern))
        }
  })

  test('that does not exist is a 404 for every method', async () => {
    const strange = [
      '/index.html',
      '/v1',
      '/activate/',
      '/reset-password/x',
      '/v1/nothing',
      '/v1/movies/',
      '/v1/movies/1/2',
      '/V1/movies',
      '/v1/Movies',
      '/v1//movies',
      '/v1/users/me/',
      '/v1/tokens',
      '/docs/json/x',
      '/debug',
      '/.env',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/v1/movies%2f1',
    ]
    for (const path of strange)
      for (const method of [...METHODS, 'OPTIONS']) {
        const answer = await call(method, path, { token: owner.token })
        expect([path, method, answer.status]).toEqual([path, method, 404])
        expect(answer.text).toBe('{"error":"the requested resource could not be found"}')
        expect(answer.headers.get('allow')).toBeNull()
      }
  })
})
