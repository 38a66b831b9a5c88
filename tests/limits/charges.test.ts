import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Config } from '../../src/config/config'
import { createBucket } from '../../src/limits/bucket'
import { stoppedClock } from '../support/limits'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

setDefaultTimeout(240_000)

/** A refill too slow to happen during a test. */
const SLOW = 0.01
const BURST = 40
const limiter: Config['limiter'] = {
  enabled: true,
  requestsPerSecond: SLOW,
  burst: BURST,
  signInsPerMinute: 2,
  failedSignInsPerMinute: 0,
  accountFailuresPerMinute: 0,
  registrationsPerMinute: 0,
  mailsPerMailboxPerHour: 0,
  mailsPerAddressPerHour: 0,
  exempt: ['127.0.0.1'],
  keyRequestsPerSecond: 0,
  keyBurst: 5,
}
const KIB = 1024

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer({ trustedProxies: ['127.0.0.1'], limiter }, { timing: stoppedClock })
  alice = await server.newUser()
})
afterAll(() => server.stop())

let addresses = 0
const newAddress = () => `203.0.113.${++addresses}`
function ask(address: string, method: string, path: string, body?: unknown) {
  return server.request(method, path, {
    token: alice.token,
    headers: { 'X-Forwarded-For': address },
    ...(body === undefined ? {} : { body }),
  })
}
const leftOf = ({ headers }: { headers: Headers }) =>
  Number(/^"requests";r=(\d+);t=\d+$/.exec(headers.get('ratelimit') ?? '')?.[1])

describe('every response under a limit says what is left', () => {
  test('with any status', async () => {
    const address = newAddress()
    const answers = [
      await ask(address, 'GET', '/v1/nothing'),
      await server.request('POST', '/v1/movies', { headers: { 'X-Forwarded-For': address } }),
      await ask(address, 'PUT', '/v1/movies'),
      await ask(address, 'OPTIONS', '/v1/movies'),
    ]
    expect(answers.map(({ status }) => status)).toEqual([404, 401, 405, 204])
    for (const [i, answer] of answers.entries()) {
      expect(answer.headers.get('ratelimit')).toBe(`"requests";r=${BURST - 1 - i};t=${(i + 1) / SLOW}`)
      expect(answer.headers.get('ratelimit-policy')).toBe(`"requests";q=${SLOW};w=1`)
    }
    // These ask the database, which counts for more if it is slow.
    const invalid = await ask(address, 'POST', '/v1/movies', {})
    const created = await ask(address, 'POST', '/v1/movies', aMovie('Left'))
    const read = await ask(address, 'GET', '/v1/movies')
    expect([invalid.status, created.status, read.status]).toEqual([422, 201, 200])
    expect(leftOf(invalid)).toBeLessThan(BURST - answers.length)
    expect(leftOf(created)).toBeLessThan(leftOf(invalid))
    expect(leftOf(read)).toBeLessThan(leftOf(created))
  })

  test('and the limit that refused is named too', async () => {
    const address = newAddress()
    const { email, password } = alice
    const signIn = () => ask(address, 'POST', '/v1/tokens/authentication', { email, password })
    for (let i = 0; i < 2; i++) await signIn()
    const { status, headers } = await signIn()
    expect(status).toBe(429)
    expect(headers.get('ratelimit')).toMatch(/^"sign-ins";r=0;t=\d+, "requests";r=\d+;t=\d+$/)
    expect(headers.get('ratelimit-policy')).toBe(`"sign-ins";q=2;w=60, "requests";q=${SLOW};w=1`)
  })

  test('but not without a limit', async () => {
    const exempt = await server.request('GET', '/v1/movies', { token: alice.token })
    const probe = await ask(newAddress(), 'GET', '/v1/healthcheck')
    for (const { status, headers } of [exempt, probe]) {
      expect(status).toBe(200)
      expect([headers.get('ratelimit'), headers.get('ratelimit-policy')]).toEqual([null, null])
    }
  })
})

describe('a request counts for more', () => {
  test('by the size of its body', async () => {
    const address = newAddress()
    const body = (kib: number) => ({ synopsis: 'x'.repeat(kib * KIB) })
    expect(leftOf(await ask(address, 'POST', '/v1/movies', body(63)))).toBe(39)
    expect(leftOf(await ask(address, 'POST', '/v1/movies', body(320)))).toBe(34)
    expect(leftOf(await ask(address, 'POST', '/v1/movies', body(960)))).toBe(19)
    // It goes into debt, which must be paid before the next one passes.
    expect(leftOf(await ask(address, 'POST', '/v1/movies', body(960)))).toBe(4)
    expect(leftOf(await ask(address, 'POST', '/v1/movies', body(960)))).toBe(0)
    const refused = await ask(address, 'GET', '/v1/movies')
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeWithin(60, 162)
    expect((await ask(newAddress(), 'GET', '/v1/movies')).status).toBe(200)
  })

  test('by the size of its answer', async () => {
    await server.sql`insert into movies (title, year, runtime, genres, synopsis, created_by)
      select 'Long ' || i, 1950, 100, '{long}', repeat('x', 9900), ${alice.id} from generate_series(1, 100) as i`
    const address = newAddress()
    const answer = await ask(address, 'GET', '/v1/movies?year=1950&page_size=100')
    expect(answer.text.length).toBeGreaterThan(15 * 64 * KIB)
    expect(leftOf(answer)).toBeLessThan(BURST - 15)
  })

  test('by its time in the database, which is divided among those who share a statement', async () => {
    await server.sql`create or replace function search_query(words text) returns tsquery language plpgsql immutable as $$
      declare till timestamptz := clock_timestamp() + interval '0.6 s';
      begin while clock_timestamp() < till loop end loop; return 'none'::tsquery; end $$`
    const [slow, left, right] = [newAddress(), newAddress(), newAddress()]
    const alone = BURST - leftOf(await ask(slow, 'GET', '/v1/movies?title=alone'))
    // 30 without what a busy process is spared for its delays.
    expect(alone).toBeGreaterThanOrEqual(15)
    const shared = await Promise.all([left, right].map((by) => ask(by, 'GET', '/v1/movies?director=both')))
    const [first = 0, second = 0] = shared.map((answer) => BURST - leftOf(answer))
    expect(first).toBeGreaterThanOrEqual(1)
    expect(second).toBeGreaterThanOrEqual(1)
    expect(leftOf(await ask(left, 'GET', '/v1/nothing'))).toBeLessThan(BURST - 1)
  })
})

describe('a bucket', () => {
  test('goes into debt, but no further than a minute', () => {
    const clock = { now: 1e6 }
    const bucket = createBucket({ name: 'test', quota: 10, periodMs: 1000, burst: 20 }, () => clock.now)
    const passes = () => {
      try {
        return bucket.take('a')
      } catch {
        return undefined
      }
    }
    passes()?.charge(29)
    expect(passes()).toBeUndefined()
    clock.now += 1099
    expect(passes()).toBeUndefined()
    clock.now += 1
    const taken = passes()
    taken?.charge(1e9)
    taken?.charge(1e9)
    clock.now += 60_099
    expect(passes()).toBeUndefined()
    clock.now += 1
    expect(passes()).toBeDefined()
  })
})
