import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Config } from '../../src/config/config'
import { Failure } from '../../src/errors'
import { createBucket } from '../../src/limits/bucket'
import { createLimiter } from '../../src/limits/rate-limit'
import {
  type Answer,
  aMovie,
  PASSWORD,
  startTestServer,
  type TestServer,
  type TestUser,
} from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(60_000)

/** Nothing is limited save what is given; so slow a refill that none happens during a test. */
const limits = (some: Partial<Config['limiter']>): Config['limiter'] => ({
  enabled: true,
  requestsPerSecond: 0,
  burst: 5,
  signInsPerMinute: 0,
  failedSignInsPerMinute: 0,
  accountFailuresPerMinute: 0,
  registrationsPerMinute: 0,
  mailsPerMailboxPerHour: 0,
  mailsPerAddressPerHour: 0,
  exempt: ['127.0.0.1', '192.0.2.0/24'],
  ...some,
})
const SLOW = 0.01
const BURST = 5

let addresses = 0
/** An address that nobody has used yet. */
const newAddress = () => `203.0.${113 + (++addresses >> 8)}.${addresses & 255}`
const from = (forwardedFor: string) => ({ 'X-Forwarded-For': forwardedFor })
const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status)
const count = (statuses: number[], status: number) => statuses.filter((each) => each === status).length

function expectRefusal({ status, text, headers }: Answer, name: string, policy: string, retryAfter: number) {
  expect([status, text]).toEqual([429, '{"error":"rate limit exceeded"}'])
  expect(Number(headers.get('retry-after'))).toBeWithin(retryAfter - 2, retryAfter + 1)
  expect(headers.get('ratelimit')).toBe(`"${name}";r=0;t=${headers.get('retry-after')}`)
  expect(headers.get('ratelimit-policy')).toBe(`"${name}";${policy}`)
  expect(headers.get('x-request-id')).toBeTruthy()
}

describe('requests per address, behind trusted proxies', () => {
  let server: TestServer
  let alice: TestUser
  beforeAll(async () => {
    server = await startTestServer({
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
      limiter: limits({ requestsPerSecond: SLOW, burst: BURST }),
    })
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

  test('of 100 at once exactly the burst is let through', async () => {
    const address = newAddress()
    const answers = await Promise.all(Array.from({ length: 100 }, () => knock(address)))
    expect(count(statusesOf(answers), 404)).toBe(BURST)
    expect(count(statusesOf(answers), 429)).toBe(100 - BURST)
    expect((await knock(newAddress())).status).toBe(404)
  })

  test('a refusal says how long to wait', async () => {
    expectRefusal(await knock(await exhaust()), 'requests', `q=${SLOW};w=1`, 1 / SLOW)
  })

  test('the limit comes before everything else', async () => {
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
    const [films] = await server.sql`select count(*)::int from movies`
    expect(films?.count).toBe(0)
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

  // What the proxy hands on, with {i} and {j} different each time, and whether it is one client.
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
    // No address: whoever handed it on is the one who is counted.
    ['198.51.100.{i}, unknown, 10.0.0.1', true],
    ['198.51.100.{i}, 198.51.100.7:80{i}, 10.0.0.2', true],
    // Ports and empty entries say nothing of who it is.
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

  test('a network can be exempted, and nobody claims to be in it through a stranger', async () => {
    for (let i = 0; i < 10 * BURST; i++) expect((await knock('192.0.2.200')).status).toBe(404)
    const address = await exhaust()
    expect((await knock(`192.0.2.200, ${address}`)).status).toBe(429)
  })
})

describe('requests per address, without trusted proxies', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ limiter: limits({ requestsPerSecond: SLOW, burst: BURST, exempt: [] }) })
  })
  afterAll(() => server.stop())

  test('no header makes another client of the one who sends it', async () => {
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

describe('sign-ins, registrations and mails', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({
      trustedProxies: ['127.0.0.1'],
      limiter: limits({
        signInsPerMinute: 8,
        failedSignInsPerMinute: 3,
        accountFailuresPerMinute: 6,
        registrationsPerMinute: 4,
        mailsPerMailboxPerHour: 2,
        mailsPerAddressPerHour: 3,
      }),
    })
  })
  afterAll(() => server.stop())

  const post = (address: string, path: string, body: object) =>
    server.request('POST', path, { headers: from(address), body })
  const signIn = (address: string, login: object, password = PASSWORD) =>
    post(address, '/v1/tokens/authentication', { ...login, password })
  async function signIns(times: number, address: () => string, login: object, password = PASSWORD) {
    const answers: Answer[] = []
    for (let i = 0; i < times; i++) answers.push(await signIn(address(), login, password))
    return statusesOf(answers)
  }
  const WRONG = 'a wrong password'

  test('8 sign-ins a minute from one address, whoever signs in', async () => {
    const [alice, bob] = [await server.newUser(), await server.newUser()]
    const address = newAddress()
    expect(await signIns(4, () => address, { email: alice.email })).toEqual(Array(4).fill(201))
    expect(await signIns(4, () => address, { email: bob.email })).toEqual(Array(4).fill(201))
    expectRefusal(await signIn(address, { email: bob.email }), 'sign-ins', 'q=8;w=60', 8)
    expect((await signIn(newAddress(), { email: bob.email })).status).toBe(201)
    expect(
      (await server.request('GET', '/v1/movies', { token: bob.token, headers: from(address) })).status,
    ).toBe(200)
  })

  test('3 failed ones for one name and address', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    expect(await signIns(3, () => address, { email }, WRONG)).toEqual([401, 401, 401])
    expectRefusal(await signIn(address, { email }, WRONG), 'failed-sign-ins', 'q=3;w=60', 20)
    expect((await signIn(address, { email: email.toUpperCase() })).status).toBe(429)
    // The owner, elsewhere, is not locked out, and neither are others here.
    expect((await signIn(newAddress(), { email })).status).toBe(201)
    expect((await signIn(address, { email: (await server.newUser()).email })).status).toBe(201)
  })

  test('as many for an unknown account as for a known one', async () => {
    const address = newAddress()
    expect(await signIns(3, () => address, { email: 'ghost@example.com' }, WRONG)).toEqual([401, 401, 401])
    expectRefusal(
      await signIn(address, { email: 'GHOST@example.com' }, WRONG),
      'failed-sign-ins',
      'q=3;w=60',
      20,
    )
  })

  test('6 failed ones for one account from everywhere', async () => {
    const { email } = await server.newUser()
    expect(await signIns(6, newAddress, { email }, WRONG)).toEqual(Array(6).fill(401))
    expectRefusal(await signIn(newAddress(), { email }, WRONG), 'account-failures', 'q=6;w=60', 10)
    const address = newAddress()
    expect(await signIns(4, () => address, { email })).toEqual(Array(4).fill(429))
    // What the account refused was not held against the address.
    expectRefusal(await signIn(address, { email }), 'account-failures', 'q=6;w=60', 10)
    expect((await signIn('192.0.2.9', { email })).status).toBe(201)
  })

  test('one that succeeds costs an account nothing', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    expect(await signIns(2, () => address, { email }, WRONG)).toEqual([401, 401])
    expect(await signIns(3, () => address, { email })).toEqual([201, 201, 201])
    expect(await signIns(9, newAddress, { email })).toEqual(Array(9).fill(201))
    expect(await signIns(2, () => address, { email }, WRONG)).toEqual([401, 429])
    expect(await signIns(3, newAddress, { email }, WRONG)).toEqual(Array(3).fill(401))
  })

  test('of 20 wrong ones at once exactly 3 are tried', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    const answers = await Promise.all(Array.from({ length: 20 }, () => signIn(address, { email }, WRONG)))
    expect([count(statusesOf(answers), 401), count(statusesOf(answers), 429)]).toEqual([3, 17])
  })

  test('4 registrations a minute from one address', async () => {
    const address = newAddress()
    const register = (at = address) =>
      post(at, '/v1/users', { name: 'Many', email: `${crypto.randomUUID()}@example.com`, password: PASSWORD })
    const answers = await Promise.all(Array.from({ length: 10 }, () => register()))
    expect(count(statusesOf(answers), 201)).toBe(4)
    expectRefusal(await register(), 'registrations', 'q=4;w=60', 15)
    expect((await post(address, '/v1/users', {})).status).toBe(422)
    expect((await register(newAddress())).status).toBe(201)
  })

  const askMail = (address: string, email: string, kind = 'activation') =>
    post(address, `/v1/tokens/${kind}`, { email })

  test('2 mails an hour for one mailbox, in any case, from everywhere; the registration sends its own', async () => {
    const user = await server.newUser({ activated: false })
    expect((await askMail(newAddress(), user.email)).status).toBe(202)
    expect((await askMail(newAddress(), user.email.toUpperCase())).status).toBe(202)
    expectRefusal(await askMail(newAddress(), user.email), 'mails-per-mailbox', 'q=2;w=3600', 1800)
    expect((await askMail(newAddress(), user.email, 'password-reset')).status).toBe(429)
    expect((await askMail(newAddress(), (await server.newUser({ activated: false })).email)).status).toBe(202)
    const [mails] = await server.sql`select count(*)::int from mails where user_id = ${user.id}`
    expect(mails?.count).toBe(3)
  })

  test('3 mails an hour from one address, so that nobody reads the directory of users', async () => {
    const address = newAddress()
    for (let i = 0; i < 3; i++)
      expect(
        (await askMail(address, `guess${i}@example.com`, i === 1 ? 'password-reset' : 'activation')).status,
      ).toBe(422)
    expectRefusal(await askMail(address, 'guess3@example.com'), 'mails', 'q=3;w=3600', 1200)
    expect((await askMail(newAddress(), 'guess3@example.com')).status).toBe(422)
  })
})

test('a limiter that is not enabled limits nothing', async () => {
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

describe('a bucket', () => {
  const refusalOf = (take: () => unknown): Failure | undefined => {
    try {
      take()
    } catch (error) {
      if (error instanceof Failure) return error
      throw error
    }
  }
  const setUp = (quota: number, periodMs: number, burst: number) => {
    const clock = { now: 1e6 }
    const bucket = createBucket({ name: 'test', quota, periodMs, burst }, () => clock.now)
    const passes = (key = 'a') => refusalOf(() => bucket.take(key)) === undefined
    return {
      clock,
      bucket,
      passes,
      run: (times: number) => Array.from({ length: times }, () => passes()).filter(Boolean).length,
    }
  }

  test('is refilled evenly, and never holds more than the burst', () => {
    const { clock, bucket, run } = setUp(20, 1000, 40)
    expect(run(100)).toBe(40)
    clock.now += 49
    expect(run(10)).toBe(0)
    expect(refusalOf(() => bucket.take('a'))?.detail.headers).toMatchObject({ 'Retry-After': '1' })
    clock.now += 1
    expect(run(10)).toBe(1)
    clock.now += 500
    expect(run(100)).toBe(10)
    clock.now += 1e9
    expect(run(100)).toBe(40)
  })

  test('passes after the time that Retry-After told, and not long before', () => {
    const { clock, bucket, passes, run } = setUp(3, 60_000, 3)
    expect(run(5)).toBe(3)
    const seconds = Number(refusalOf(() => bucket.take('a'))?.detail.headers?.['Retry-After'])
    expect(seconds).toBe(20)
    clock.now += seconds * 1000 - 1
    expect(passes()).toBe(false)
    clock.now += 1
    expect(passes()).toBe(true)
    expect(passes()).toBe(false)
  })

  test('takes back what was taken, once the refused ones have gone', () => {
    const { bucket, run } = setUp(3, 60_000, 3)
    const taken = bucket.take('a')
    expect(run(5)).toBe(2)
    taken.takeBack()
    expect(run(5)).toBe(1)
  })

  test('with a quota of 0 is no limit', () => {
    expect(setUp(0, 1000, 0).run(1000)).toBe(1000)
    const off = createLimiter(limits({ burst: 0 }), () => 0)
    for (let i = 0; i < 1000; i++) {
      off.request('a')
      off.signIn('a')
      off.registration('a@example.com', 'a')
      off.failedSignIn('alice', 'a')
      off.mail('a@example.com', 'a')
    }
  })

  test('stays bounded however many addresses come, and keeps the latest', () => {
    const { passes } = setUp(1, 3_600_000, 1)
    for (let i = 0; i < 200_000; i++) expect(passes(`key ${i}`)).toBe(true)
    expect(passes('key 199999')).toBe(false)
    expect(passes('key 150000')).toBe(false)
    // Forgotten, or the memory would grow with every address.
    expect(passes('key 0')).toBe(true)
    expect(passes('key 50000')).toBe(true)
  })
})
