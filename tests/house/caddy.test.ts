import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { canStartCaddy, startCaddy } from '../support/caddy'
import { freePort } from '../support/postgres'
import { aMovie, startTestServer, type TestServer, type TestUser, testConfig } from '../support/server'

// The service as its clients see it through deploy/Caddyfile.
setDefaultTimeout(60_000)

describe.skipIf(!canStartCaddy)('through Caddy', () => {
  let server: TestServer
  let caddy: Awaited<ReturnType<typeof startCaddy>>
  let alice: TestUser
  let path: string
  beforeAll(async () => {
    const { limiter } = testConfig({ kind: 'embedded', dataDir: '', poolMax: 1, waitMs: 0 })
    server = await startTestServer({
      trustedProxies: ['127.0.0.1'],
      limiter: { ...limiter, enabled: true, requestsPerSecond: 0, registrationsPerMinute: 2 },
    })
    // The second instance is never there: what it would have got goes to the first.
    caddy = await startCaddy([server.url.host, `127.0.0.1:${await freePort()}`])
    alice = await server.newUser()
    const created = await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie('Tagged') })
    path = created.headers.get('location') ?? ''
  })
  afterAll(async () => {
    await caddy?.stop()
    await server?.stop()
  })

  const ask = (to: string, init: RequestInit & { headers?: Record<string, string> } = {}) =>
    fetch(new URL(to, caddy.url), {
      ...init,
      headers: { Authorization: `Bearer ${alice.token}`, ...init.headers },
    })

  test.each(['gzip', 'identity', 'gzip, br, zstd'])(
    'ETags are what they were, asking for %s',
    async (encoding) => {
      const headers = { 'Accept-Encoding': encoding }
      const answer = await ask(path, { headers })
      const tag = answer.headers.get('etag') ?? ''
      expect([answer.status, tag]).toEqual([200, expect.stringMatching(/^"\d+"$/)])
      expect((await ask(path, { headers: { ...headers, 'If-None-Match': tag } })).status).toBe(304)
      const change = (etag: string) =>
        ask(path, {
          method: 'PATCH',
          headers: { ...headers, 'If-Match': etag, 'Content-Type': 'application/json' },
          body: JSON.stringify({ director: encoding }),
        })
      expect((await change(tag)).status).toBe(200)
      expect((await change(tag)).status).toBe(412)
    },
  )

  test.each([
    '/metrics',
    '/debug/vars',
    '/debug/vars/',
    '//metrics',
    '/v1/../metrics',
    '/v1/%2e%2e/metrics',
    '/nothing',
  ])('%s is not there', async (inside) => {
    const curl = Bun.spawn(['curl', '-sS', '--path-as-is', `${caddy.url.origin}${inside}`])
    const text = await new Response(curl.stdout).text()
    expect(text).toBe('{"error":"the requested resource could not be found"}')
  })

  test.each(['/', '/docs', '/docs/json', '/activate', '/reset-password', '/v1/healthcheck'])(
    '%s is',
    async (outside) => {
      expect((await ask(outside)).status).toBe(200)
    },
  )

  test('a client counts under its own address, whatever it says of itself', async () => {
    const register = async (from: string, number: number) => {
      const email = `caddy-${from}-${number}@example.com`
      const curl = Bun.spawn([
        ...['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', '--interface', from],
        ...['-H', `X-Forwarded-For: 192.0.2.${number}`, '-H', 'Content-Type: application/json'],
        ...['-d', JSON.stringify({ name: 'C', email, password: 'a password for Caddy' })],
        new URL('/v1/users', caddy.url).href,
      ])
      return new Response(curl.stdout).text()
    }
    const statuses: string[] = []
    for (const from of ['127.0.0.2', '127.0.0.3'])
      for (let number = 1; number <= 3; number++) statuses.push(await register(from, number))
    expect(statuses).toEqual(['201', '201', '429', '201', '201', '429'])
  })
})
