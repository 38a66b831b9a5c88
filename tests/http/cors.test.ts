import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const TRUSTED = 'https://app.example.com'
const ALSO_TRUSTED = 'http://localhost:5173'
const EXPOSED = ['ETag', 'Link', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id']
const ALLOWED = [
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'X-Expected-Version',
  'X-Request-Id',
]

let server: TestServer
let closed: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer({ corsTrustedOrigins: [TRUSTED, ALSO_TRUSTED] })
  closed = await startTestServer()
  alice = await server.newUser()
})
afterAll(async () => {
  await server.stop()
  await closed.stop()
})

const preflight = (on: TestServer, origin: string | undefined, path: string, method = 'PATCH') =>
  on.request('OPTIONS', path, {
    headers: {
      ...(origin === undefined ? {} : { Origin: origin }),
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'authorization,content-type,x-evil',
    },
  })
const corsHeaders = (headers: Headers) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-')).sort()
const listOf = (headers: Headers, name: string) => (headers.get(name) ?? '').split(', ').sort()

describe('a trusted origin', () => {
  test.each([TRUSTED, ALSO_TRUSTED])('%s gets its preflight', async (origin) => {
    const { status, headers, text } = await preflight(server, origin, '/v1/movies/1')
    expect([status, text]).toEqual([204, ''])
    expect(headers.get('access-control-allow-origin')).toBe(origin)
    expect(listOf(headers, 'access-control-allow-methods')).toEqual([
      'DELETE',
      'GET',
      'HEAD',
      'OPTIONS',
      'PATCH',
    ])
    expect(listOf(headers, 'access-control-allow-headers')).toEqual(ALLOWED)
    expect(Number(headers.get('access-control-max-age'))).toBeWithin(1, 86_401)
    expect(headers.get('access-control-allow-credentials')).toBeNull()
    expect(listOf(headers, 'vary')).toContain('Origin')
  })

  const requests: [string, string, string, number][] = [
    ['an answer', 'GET', '/v1/healthcheck', 200],
    ['a refusal for want of a token', 'GET', '/v1/movies', 401],
    ['an unknown path', 'GET', '/v1/nothing', 404],
    ['a wrong method', 'PUT', '/v1/movies', 405],
    ['a body that breaks a rule', 'POST', '/v1/users', 422],
  ]
  test.each(requests)('may read %s', async (_, method, path, status) => {
    const answer = await server.request(method, path, {
      headers: { Origin: TRUSTED },
      body: method === 'POST' ? {} : undefined,
    })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('access-control-allow-origin')).toBe(TRUSTED)
    expect(listOf(answer.headers, 'access-control-expose-headers')).toEqual(EXPOSED)
    expect(listOf(answer.headers, 'vary')).toContain('Origin')
    expect(corsHeaders(answer.headers)).toEqual([
      'access-control-allow-origin',
      'access-control-expose-headers',
    ])
  })

  test('may read movies, and the response varies with the token too', async () => {
    const answer = await server.request('GET', '/v1/movies', {
      token: alice.token,
      headers: { Origin: TRUSTED },
    })
    expect(answer.status).toBe(200)
    expect(listOf(answer.headers, 'vary')).toEqual(['Authorization', 'Origin'])
  })

  test('gets no 2xx preflight for an unknown path', async () => {
    expect((await preflight(server, TRUSTED, '/v1/nothing')).status).toBe(404)
  })
})

describe('an origin that is not trusted', () => {
  const strangers = [
    undefined,
    'null',
    '*',
    'https://evil.example',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com/',
    'https://app.example.com.evil.example',
    'https://evil-app.example.com',
    'https://APP.example.com',
    `${TRUSTED}, https://evil.example`,
  ]
  test.each(strangers)('%s gets no permission, and Vary says that others might', async (origin) => {
    const asked = await preflight(server, origin, '/v1/movies/1')
    expect(asked.status).toBe(204)
    expect(asked.headers.get('allow')).toContain('PATCH')
    const headers: Record<string, string> = origin === undefined ? {} : { Origin: origin }
    const sent = await server.request('GET', '/v1/movies', { token: alice.token, headers })
    expect(sent.status).toBe(200)
    for (const answer of [asked, sent]) {
      expect(corsHeaders(answer.headers)).toEqual([])
      expect(listOf(answer.headers, 'vary')).toContain('Origin')
    }
  })

  test('is any origin if none is configured', async () => {
    for (const origin of [TRUSTED, 'null', 'http://localhost:4000']) {
      const asked = await preflight(closed, origin, '/v1/movies')
      const sent = await closed.request('GET', '/v1/healthcheck', { headers: { Origin: origin } })
      expect([asked.status, sent.status]).toEqual([204, 200])
      for (const answer of [asked, sent]) {
        expect(corsHeaders(answer.headers)).toEqual([])
        expect(listOf(answer.headers, 'vary')).not.toContain('Origin')
      }
    }
  })
})

describe('in development', () => {
  test('every page of this machine may call, and each refused origin is logged once a minute', async () => {
    let now = 0
    const timing = { now: () => now, date: Date.now }
    const development = await startTestServer({ environment: 'development' }, { timing })
    const allowed = async (origin: string) => {
      const { headers } = await development.request('GET', '/v1/healthcheck', { headers: { Origin: origin } })
      return headers.get('access-control-allow-origin')
    }
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'http://localhost'])
      expect(await allowed(origin)).toBe(origin)
    const strangers = [
      'https://localhost:3000',
      'http://localhost:3000.evil.example',
      'http://localhost.evil.example',
      'http://127.0.0.1:x',
      'http://10.0.0.1:3000',
    ]
    for (const origin of [...strangers, ...strangers]) expect(await allowed(origin)).toBeNull()
    // Our own pages, and those that no setting can allow.
    for (const origin of [development.url.origin, 'http://localhost:4000', 'null']) await allowed(origin)
    const refused = () =>
      development.logLines().filter(({ message }) => message.includes('CORS_TRUSTED_ORIGINS'))
    expect(refused().map(({ origin }) => origin)).toEqual(strangers)
    expect(refused()[0]?.message).toContain('CORS_TRUSTED_ORIGINS=https://localhost:3000 would allow it')
    now = 60_000
    await allowed('https://localhost:3000')
    expect(refused()).toHaveLength(strangers.length + 1)
    for (let i = 0; i < 50; i++) await allowed(`https://x${i}.example`)
    expect(refused().length).toBeLessThan(strangers.length + 25)
    await development.stop()
  })

  test('only', async () => {
    const { headers } = await closed.request('GET', '/v1/healthcheck', {
      headers: { Origin: 'http://localhost:1' },
    })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})
