import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { get, type IncomingHttpHeaders } from 'node:http'
import { canStartCaddy, startCaddy } from '../support/caddy'
import { freePort } from '../support/postgres'
import { aMovie, startTestServer, type TestServer, type TestUser, testConfig } from '../support/server'

// The service through deploy/Caddyfile, as its clients see it.
setDefaultTimeout(240_000)

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
    // The second instance doesn't exist, so the first one gets its requests.
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

  /** The bytes on the wire; fetch would decompress them. */
  async function fetchRaw(to: string, headers: Record<string, string>) {
    const { promise, resolve, reject } = Promise.withResolvers<{
      headers: IncomingHttpHeaders
      bytes: number
    }>()
    get(
      new URL(to, caddy.url),
      { headers: { Authorization: `Bearer ${alice.token}`, ...headers } },
      (answer) => {
        let bytes = 0
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length
        })
        answer.on('end', () => resolve({ headers: answer.headers, bytes }))
      },
    ).on('error', reject)
    return promise
  }

  test.each(['gzip', 'identity', 'gzip, br, zstd'])(
    'ETags stay the same with Accept-Encoding: %s',
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

  test.each(['gzip', 'zstd'])('large responses are sent as %s, with the same ETag', async (encoding) => {
    const large = aMovie(`Large ${encoding}`, { synopsis: 'long '.repeat(1000).trim() })
    const created = await server.request('POST', '/v1/movies', { token: alice.token, body: large })
    const movie = created.headers.get('location') ?? ''
    const packed = await fetchRaw(movie, { 'Accept-Encoding': encoding })
    expect(packed.headers).toMatchObject({
      etag: '"1"',
      'content-encoding': encoding,
      vary: expect.stringMatching(/Accept-Encoding/),
    })
    expect(packed.bytes).toBeLessThan(1000)
    const plain = await fetchRaw(movie, {})
    expect([plain.headers.etag, plain.headers['content-encoding']]).toEqual(['"1"', undefined])
    expect(plain.bytes).toBeGreaterThan(5000)
  })

  test.each(['gzip', 'zstd'])(
    'the ETag of a newer Caddy that sent %s counts as the original one',
    async (encoding) => {
      const tag = (await ask(path)).headers.get('etag')?.replace(/"$/, `-${encoding}"`) ?? ''
      expect((await ask(path, { headers: { 'If-None-Match': `"0-${encoding}", ${tag}` } })).status).toBe(304)
      const change = () =>
        ask(path, {
          method: 'PATCH',
          headers: { 'If-Match': tag, 'Content-Type': 'application/json' },
          body: JSON.stringify({ director: `the tag of ${encoding}` }),
        })
      expect((await change()).status).toBe(200)
      expect((await change()).status).toBe(412)
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
  ])('%s is not public', async (inside) => {
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

  test('a client counts under its own address, whatever headers it sends', async () => {
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

describe.skipIf(!canStartCaddy)('through Caddy, when an instance hangs', () => {
  let hangs: Bun.TCPSocketListener
  let serves: TestServer
  let caddy: Awaited<ReturnType<typeof startCaddy>>
  let isFrozen = false
  beforeAll(async () => {
    serves = await startTestServer()
    // Like a stopped process: the kernel accepts connections, and nothing responds.
    hangs = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data(socket) {
          if (!isFrozen) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        },
      },
    })
    caddy = await startCaddy([`127.0.0.1:${hangs.port}`, serves.url.host])
  })
  afterAll(async () => {
    await caddy?.stop()
    hangs?.stop(true)
    await serves?.stop()
  })

  test('reads are served by the other one, writes get 503, and none waits forever', async () => {
    isFrozen = true
    // Enough that some reach it before Caddy notices.
    const reads = Array.from({ length: 8 }, () => fetch(new URL('/v1/healthcheck', caddy.url)))
    const writes = Array.from({ length: 8 }, () =>
      fetch(new URL('/v1/users', caddy.url), {
        method: 'POST',
        body: '{}',
        headers: { 'Content-Type': 'application/json' },
      }),
    )
    for (const answer of await Promise.all(reads)) expect(answer.status).toBe(200)
    const cut = (await Promise.all(writes)).filter(({ status }) => status !== 422)
    expect(cut.length).toBeGreaterThan(0)
    for (const answer of cut) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
      expect(await answer.json()).toEqual({ error: 'the service is not available at the moment' })
    }
  })
})

describe.skipIf(!canStartCaddy)('behind a content delivery network', () => {
  test('a client counts under its own address once the networks are listed, as the comment says', async () => {
    const { limiter } = testConfig({ kind: 'embedded', dataDir: '', poolMax: 1, waitMs: 0 })
    const server = await startTestServer({
      trustedProxies: ['127.0.0.0/8'],
      limiter: { ...limiter, enabled: true, requestsPerSecond: 0, registrationsPerMinute: 1 },
    })
    const caddy = await startCaddy([server.url.host], (text) =>
      text.replace('#trusted_proxies 192.0.2.0/24 2001:db8::/32', 'trusted_proxies 127.0.0.0/8'),
    )
    const register = async (from: string, number: number) => {
      const body = { name: 'C', email: `cdn${number}@example.com`, password: 'a password for the CDN' }
      const answer = await fetch(new URL('/v1/users', caddy.url), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': from },
        body: JSON.stringify(body),
      })
      return answer.status
    }
    try {
      const statuses = [
        await register('198.51.100.1', 1),
        await register('198.51.100.2', 2),
        await register('198.51.100.1', 3),
      ]
      expect(statuses).toEqual([201, 201, 429])
    } finally {
      await caddy.stop()
      await server.stop()
    }
  })
})
