import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createClientAddresses } from '../../src/limits/client-address'
import { createLimiter } from '../../src/limits/rate-limit'
import { limits } from '../support/limits'
import { openRaw } from '../support/raw'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const BURST = 3
const limiter = limits({ burst: 1, exempt: [] })

type Sent = { host?: string | null; token?: string; body?: object }
/** Sends one request exactly as given; without a Host it is HTTP/1.0. */
async function ask(server: TestServer, line: string, { host = 'localhost', token, body }: Sent = {}) {
  const json = body === undefined ? '' : JSON.stringify(body)
  const head = [
    `${line} HTTP/${host === null ? '1.0' : '1.1'}`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
    ...(body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${json.length}`]),
    'Connection: close',
  ]
  const client = await openRaw(server.url)
  await client.send(`${head.join('\r\n')}\r\n\r\n${json}`)
  await client.closed
  const [top = '', text = ''] = client.received().split('\r\n\r\n')
  const [status = '', ...lines] = top.split('\r\n')
  const headers = new Headers(
    lines.map((header): [string, string] => [header.split(': ', 1)[0] ?? '', header.replace(/^[^:]*: /, '')]),
  )
  return { status: Number(status.split(' ')[1]), headers, text }
}

// HTTP/1.0 may omit it, and Bun can't parse the others although RFC 3986 allows them.
const oddHosts = [null, 'x:65536', '1.2.3.4.5', '256.1.1.1', 'xn--a', 'a%20b', 'a%2Fb', '[v1.a]']
const plainHosts = [
  'x',
  'x:',
  'my_app',
  'LOCALHOST:4000',
  '[::1]',
  '[::1]:80',
  "a!$&'()*+,;=b~",
  'a..b',
  '0x7f.1',
]
const wrongHosts = [
  '',
  ':80',
  'x:8a',
  'x:1:2',
  'a b',
  'a/b',
  'a\\b',
  'a@b',
  'a|b',
  'a?b',
  'a#b',
  'a"b',
  'a%2',
  'a%zz',
  '[::1',
  '[1.2.3.4]',
  '[::1]x',
  '[fe80::1%25eth0]',
  '::1',
  'münchen.de',
  'a, b',
  'localhost/docs',
  'localhost\r\nHost: localhost',
  'a\r\nHost:',
  '\r\nHost: a',
]

describe('with a Host that', () => {
  let server: TestServer
  let alice: TestUser
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser()
    for (const title of ['One', 'Two'])
      await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie(title) })
  })
  afterAll(() => server.stop())

  test.each([...oddHosts, ...plainHosts])('is %p, everything works as usual', async (host) => {
    const sent = { host, token: alice.token }
    const list = await ask(server, 'GET /v1/movies?page_size=1&title=%C3%B6&title=&cast=', sent)
    expect([list.status, list.text]).toEqual([200, expect.stringContaining('"total_records":0')])
    const first = await ask(server, 'GET /v1/movies?page_size=1', sent)
    expect([first.status, first.headers.get('link')]).toEqual([
      200,
      expect.stringContaining('</v1/movies?page_size=1&page=2>; rel="next"'),
    ])
    expect(first.headers.get('cache-control')).toBe('private, no-cache')
    expect((await ask(server, 'GET /v1/movies?rating=5', sent)).status).toBe(422)
    expect((await ask(server, 'GET /v1/movies/1', sent)).status).toBe(200)
    expect((await ask(server, 'PUT /v1/movies/1', sent)).status).toBe(405)
    expect((await ask(server, 'GET /nope', sent)).status).toBe(404)
    expect((await ask(server, 'HEAD /v1/healthcheck', sent)).status).toBe(200)
    expect((await ask(server, 'OPTIONS /v1/movies', sent)).status).toBe(204)
    expect((await ask(server, 'GET /x/docs/v1/movies', sent)).status).toBe(404)
    expect((await ask(server, 'GET /v1/aaaa/metrics', sent)).status).toBe(404)
  })

  test.each(wrongHosts)('is %p, requests are refused', async (host) => {
    for (const line of [
      'GET /v1/movies',
      'GET /v1/healthcheck',
      'OPTIONS /v1/movies',
      'GET /nope',
      'GET /v1/aaaa/v1/movies?x=://a/docs',
    ]) {
      const { status, headers, text } = await ask(server, line, { host, token: alice.token })
      expect({ line, status, text }).toEqual({
        line,
        status: 400,
        text: '{"error":"the header Host must be a host name or address, with a port where there is one"}',
      })
      expect(headers.get('x-request-id')).toBeTruthy()
    }
  })

  test('is missing, HTTP/1.1 is refused', async () => {
    const client = await openRaw(server.url)
    await client.send('GET /v1/healthcheck HTTP/1.1\r\nConnection: close\r\n\r\n')
    await client.closed
    expect(client.received()).toStartWith('HTTP/1.1 400 ')
  })

  const paths: [path: string, status: number, options: number][] = [
    ['/v1/../metrics', 200, 204],
    ['/v1/%2E./metrics', 200, 204],
    ['/v1/..\\metrics', 200, 204],
    ['/v1\\healthcheck', 200, 204],
    ['http://elsewhere.example/docs/../metrics?x', 200, 204],
    ['/docs/../v1/movies', 401, 204],
    ['/docs/..\\v1\\movies', 401, 204],
    ['/v1/..%5cmetrics', 404, 404],
    ['/v1/movies/%5C', 404, 404],
    ['/v1/movies/1%5c', 404, 404],
    ['/docs/..%5Cdocs', 404, 404],
    ['//metrics', 404, 404],
    ['//elsewhere.example/metrics', 404, 404],
    ['/http://elsewhere.example/metrics', 404, 404],
    ['/metrics#', 404, 404],
    ['/metrics/ü', 404, 404],
  ]
  test.each(paths)('is any of these, %s is routed alike', async (path, status, options) => {
    for (const host of ['localhost', 'x', 'x:65536', null]) {
      expect({ host, status: (await ask(server, `GET ${path}`, { host })).status }).toEqual({ host, status })
      expect((await ask(server, `OPTIONS ${path}`, { host })).status).toBe(options)
    }
  })

  test('is any of these, a target that is not a path is refused', async () => {
    for (const host of ['localhost', 'x:65536', null])
      for (const target of ['a:443', 'a/docs', 'a/../metrics:443', '[::1]:443', 'a?b'])
        expect([host, target, (await ask(server, `CONNECT ${target}`, { host })).status]).toEqual([
          host,
          target,
          405,
        ])
  })

  test('is any of these, a fragment does not belong to the query', async () => {
    for (const host of ['localhost', 'x:65536', null])
      expect((await ask(server, 'GET /v1/movies?page=1#&page=2', { host, token: alice.token })).status).toBe(
        200,
      )
  })

  test('is missing, the log has the route', async () => {
    const id = (await ask(server, 'GET /v1/movies/1', { host: null })).headers.get('x-request-id')
    const line = server.logLines().find((each) => each.message === 'request' && each.request_id === id)
    expect(line).toMatchObject({ route: '/v1/movies/:id', method: 'GET', status: 401 })
  })

  test.each(['toString', '__proto__', 'constructor', 'hasOwnProperty', 'valueOf'])(
    'is any of these, no file is called %s',
    async (name) => {
      expect((await ask(server, `GET /docs/assets/x/${name}`)).status).toBe(404)
      expect((await ask(server, `GET /docs/assets/${name}/icon.svg`)).status).toBe(200)
    },
  )
})

describe('no limit is escaped by', () => {
  const hosts = [...oddHosts, ...wrongHosts, 'x', '[::1]']
  const paths = ['/v1/tokens/password-reset', '/v1/tokens/authentication', '/v1/users', '/v1/movies']
  /** The number of requests, to a path and to others that could be mistaken for it, with a different outcome. */
  async function others(server: TestServer, path: string, statuses: number[]): Promise<number> {
    const body = { email: 'nobody@example.com' }
    let count = 0
    for (const host of hosts)
      for (const asked of [path, `/x/docs${path}`, `/docs/..${path}`, `/v1/aaaa${path}?x=://a/docs`])
        if (!statuses.includes((await ask(server, `POST ${asked}`, { host, body })).status)) count++
    return count
  }

  test('a request with any Host and path', async () => {
    const server = await startTestServer({ limiter: { ...limiter, requestsPerSecond: 0.001, burst: BURST } })
    let passed = 0
    for (const path of paths) passed += await others(server, path, [400, 429])
    // The first queries of a database may be slow enough to count for more.
    expect(passed).toBeWithin(1, BURST + 1)
    await server.stop()
  })

  test('the mails that it requests', async () => {
    const server = await startTestServer({ limiter: { ...limiter, mailsPerAddressPerHour: BURST } })
    expect(await others(server, '/v1/tokens/password-reset', [400, 404, 429])).toBe(BURST)
    await server.stop()
  })

  test('a client of unknown address, even if everyone is exempt', async () => {
    const everybody = createClientAddresses(['10.0.0.1'], ['0.0.0.0/0', '::/0'])
    const { request } = createLimiter({ ...limiter, requestsPerSecond: 0.01 }, () => 0)
    for (const address of ['127.0.0.1', '127.0.0.1', '::1', '::1']) request(everybody.limitKey(address, null))
    request(everybody.limitKey('', null))
    for (const forwardedFor of [null, '', '127.0.0.1'])
      expect(() => request(everybody.limitKey('', forwardedFor))).toThrow('rate limit exceeded')
    expect(() => request(everybody.limitKey('/run/redlight.sock', null))).toThrow('rate limit exceeded')
  })
})
