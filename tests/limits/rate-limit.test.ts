import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  count,
  expectRefusal,
  from,
  limits,
  newAddress,
  SLOW,
  statusesOf,
  stoppedClock,
} from '../support/limits'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)
const BURST = 5

describe('requests per address, behind trusted proxies', () => {
  let server: TestServer
  let alice: TestUser
  beforeAll(async () => {
    server = await startTestServer(
      {
        trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
        limiter: limits({ requestsPerSecond: SLOW, burst: BURST }),
      },
      { timing: stoppedClock },
    )
    alice = await server.newUser()
  })
  afterAll(() => server.stop())

  const knock = (forwardedFor: string, path = '/v1/nothing') =>
    server.request('GET', path, { headers: from(forwardedFor) })
  async function exhaust(address = newAddress()): Promise<string> {
    for (let i = 0; i < BURST; i++) expect((await knock(address)).status).toBe(404)
    expect((await knock(address)).status).toBe(429)
    return address
  }

  test('of 100 at once, exactly the burst passes', async () => {
    const address = newAddress()
    const answers = await Promise.all(Array.from({ length: 100 }, () => knock(address)))
    expect(count(statusesOf(answers), 404)).toBe(BURST)
    expect(count(statusesOf(answers), 429)).toBe(100 - BURST)
    expect((await knock(newAddress())).status).toBe(404)
  })

  test('a refusal says how long to wait', async () => {
    expectRefusal(await knock(await exhaust()), 'requests', `q=${SLOW};w=1`, 1 / SLOW)
  })

  test('the limit comes first', async () => {
    const headers = from(await exhaust())
    const sent: [string, string, object][] = [
      ['GET', '/v1/nothing', {}],
      ['PUT', '/v1/movies', {}],
      ['OPTIONS', '/v1/movies', {}],
      ['GET', '/v1/movies', {}],
      ['GET', '/v1/movies', { token: 'bad' }],
      ['GET', '/v1/movies', { token: alice.token }],
      ['POST', '/v1/movies', { rawBody: '{' }],
      ['POST', '/v1/users', { rawBody: 'x'.repeat(2_000_000) }],
    ]
    for (const [method, path, options] of sent) {
      const answer = await server.request(method, path, { headers, ...options })
      expect([method, path, answer.status]).toEqual([method, path, 429])
    }
    const created = await server.request('POST', '/v1/movies', {
      headers,
      token: alice.token,
      body: aMovie('Too Much'),
    })
    expect(created.status).toBe(429)
    const [movies] = await server.sql`select count(*)::int from movies`
    expect(movies?.count).toBe(0)
  })

  test.each(['/v1/healthcheck', '/metrics', '/debug/vars', '/docs', '/docs/json'])(
    '%s is not limited',
    async (path) => {
      const address = await exhaust()
      for (let i = 0; i < 3 * BURST; i++) expect((await knock(address, path)).status).toBe(200)
    },
  )

  test.each(['/v1/healthcheck/', '/metricsx', '/debug/vars/x', '/docsx', '/v1/healthcheckx'])(
    '%s is',
    async (path) => {
      expect((await knock(await exhaust(), path)).status).toBe(429)
    },
  )

  // The header from the proxy, with {i} and {j} different each time, and whether it is one client.
  const forwarded: [string, boolean][] = [
    ['198.51.100.1', true],
    ['6.6.6.{i}, 198.51.100.2', true],
    ['{i}.6.6.6, 7.7.{i}.7,198.51.100.3', true],
    ['198.51.100.4, 10.1.2.{i}', true],
    ['198.51.100.5, fd00::{i}, 10.{i}.0.1', true],
    ['198.51.100.{j}, 10.1.2.3', false],
    ['198.51.101.{j}, 6.6.6.6, 10.1.2.3', true],
    ['::ffff:198.51.100.6', true],
    ['2001:db8:1:2::{i}', true],
    ['2001:db8:1:3:{i}:{i}:{i}:{i}', true],
    ['2001:db8:2:{i}::1', false],
    // Not an address: the proxy that forwarded it counts instead.
    ['198.51.100.{i}, unknown, 10.0.0.1', true],
    ['198.51.100.{i}, 198.51.100.7:80{i}, 10.0.0.2', true],
    // Ports and empty entries don't identify a client.
    ['198.51.102.{j}:{j}, 10.0.0.3:443', false],
    ['198.51.100.8:{i}, 10.0.0.3', true],
    ['[2001:db8:3:{j}::1]:443, [fd00::1]:80', false],
    ['[2001:db8:4::{i}]:{i}', true],
    ['[2001:db8:5::{i}], 10.0.0.3', true],
    ['198.51.103.{j}, , 10.0.0.3,', false],
    [',198.51.100.9, ,', true],
    ['198.51.104.{i}, 198.51.100.10:x, 10.0.0.4', true],
  ]
  test.each(forwarded)('X-Forwarded-For: %s is one client: %p', async (pattern, isOne) => {
    const answers: number[] = []
    for (let i = 1; i <= 2 * BURST; i++)
      answers.push(
        (await knock(pattern.replaceAll('{i}', String(i)).replaceAll('{j}', String(100 + i)))).status,
      )
    expect(count(answers, 404)).toBe(isOne ? BURST : 2 * BURST)
  })

  test('an IPv4 address written as IPv6 is the same client', async () => {
    const address = await exhaust()
    expect((await knock(`::ffff:${address}`)).status).toBe(429)
  })

  test('a network can be exempted, and an untrusted proxy can not claim to be in it', async () => {
    for (let i = 0; i < 10 * BURST; i++) expect((await knock('192.0.2.200')).status).toBe(404)
    const address = await exhaust()
    expect((await knock(`192.0.2.200, ${address}`)).status).toBe(429)
  })
})

describe('requests per address, without trusted proxies', () => {
  let server: TestServer
  beforeAll(async () => {
    const limiter = limits({ requestsPerSecond: SLOW, burst: BURST, exempt: [] })
    server = await startTestServer({ limiter }, { timing: stoppedClock })
  })
  afterAll(() => server.stop())

  test('no header makes its sender a different client', async () => {
    for (let i = 0; i < BURST; i++) expect((await server.request('GET', '/v1/movies')).status).toBe(401)
    const forged = [
      'X-Forwarded-For',
      'X-Real-IP',
      'Forwarded',
      'X-Client-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
      'X-Forwarded-Host',
      'Via',
    ]
    for (const name of forged)
      for (const value of ['203.0.113.99', 'for=203.0.113.99', '127.0.0.1', '::1']) {
        const answer = await server.request('GET', '/v1/movies', { headers: { [name]: value } })
        expect([name, value, answer.status]).toEqual([name, value, 429])
      }
  })
})

test('a disabled limiter limits nothing', async () => {
  const server = await startTestServer({
    limiter: {
      enabled: false,
      requestsPerSecond: SLOW,
      burst: 1,
      signInsPerMinute: 1,
      failedSignInsPerMinute: 1,
      accountFailuresPerMinute: 1,
      registrationsPerMinute: 1,
      mailsPerMailboxPerHour: 1,
      mailsPerAddressPerHour: 1,
      exempt: [],
      keyRequestsPerSecond: 0,
      keyBurst: 5,
    },
  })
  const users = [await server.newUser(), await server.newUser()]
  for (const { email } of [...users, ...users]) {
    await server.signIn(email)
    const wrong = await server.request('POST', '/v1/tokens/authentication', {
      body: { email, password: 'wrong' },
    })
    expect(wrong.status).toBe(401)
    expect((await server.request('POST', '/v1/tokens/password-reset', { body: { email } })).status).toBe(202)
  }
  await server.stop()
})
