import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Config } from '../../src/config/config'
import { realTime } from '../../src/server/compose'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { canStartRedis, REDIS_PASSWORD, startRedis } from '../support/redis'
import { PASSWORD, startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// Two instances on a private PostgreSQL and a private Redis.

setDefaultTimeout(240_000)
const BURST = 6
// On a busy machine Redis, or we, may be late: then an instance counts by itself, as it should, which is not what is tested.
const PATIENT_MS = 50_000
const HASTY_MS = 500
const MINUTE_MS = 60_000
const limiter: Config['limiter'] = {
  enabled: true,
  // A refill too slow to happen during a test.
  requestsPerSecond: 0.01,
  burst: BURST,
  signInsPerMinute: 0,
  failedSignInsPerMinute: 3,
  accountFailuresPerMinute: 5,
  registrationsPerMinute: 4,
  mailsPerMailboxPerHour: 2,
  mailsPerAddressPerHour: 5,
  exempt: ['127.0.0.1'],
  keyRequestsPerSecond: 0,
  keyBurst: 5,
}

describe.skipIf(!(canStartPostgres && canStartRedis))('two instances that count in one Redis', () => {
  let postgres: PostgresServer
  let redis: Awaited<ReturnType<typeof startRedis>>
  let servers: TestServer[] = []

  const start = (overrides: Partial<Config> = {}, countMs = PATIENT_MS) =>
    startTestServer(
      { limiter, redisUrl: redis.url, trustedProxies: ['127.0.0.1'], ...overrides },
      {
        database: postgres.database({ poolMax: 4 }),
        timing: { ...realTime, countMs },
      },
    )

  beforeAll(async () => {
    ;[postgres, redis] = await Promise.all([startPostgres({ fsync: 'off' }), startRedis()])
    servers = [await start(), await start()]
  })
  afterAll(async () => {
    for (const server of servers) await server.stop()
    await redis?.dispose()
    await postgres?.dispose()
  })

  beforeEach(() => untilShared(true))

  let addresses = 0
  const newAddress = () => `203.0.113.${++addresses}`
  /** The same request to both, in turn. */
  async function send(
    times: number,
    method: string,
    path: string,
    address: string,
    body?: (i: number) => unknown,
    to = servers,
  ) {
    const answers = await Promise.all(
      Array.from({ length: times }, (_, i) =>
        to[i % 2]?.request(method, path, { headers: { 'X-Forwarded-For': address }, body: body?.(i) }),
      ),
    )
    const statuses = answers.map((answer) => answer?.status ?? 0)
    return (status: number) => statuses.filter((each) => each === status).length
  }
  const metric = async (server: TestServer) =>
    /^redlight_limits_shared (\d)$/m.exec((await server.figures('/metrics')).text)?.[1]
  /** The log has it at once, the metric half a second later. */
  async function untilShared(areShared: boolean, on = servers) {
    const last = (server: TestServer) =>
      server.logLines().findLast(({ message }) => message.startsWith('limits are counted'))
    for (const server of on) await until(() => last(server)?.message.includes('together') === areShared)
  }
  /** The number of requests that pass, half to each instance. */
  const letThrough = async (to = servers) =>
    (await send(10 * BURST, 'GET', '/v1/nothing', newAddress(), undefined, to))(404)
  /** By the clock that the limits go by. */
  const redisTime = async () => {
    const time = await redis.send('TIME')
    const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
    return (seconds ?? 0) * 1000 + (micros ?? 0) / 1000
  }
  /** A full bucket lets so many through, and one more for each part of the minute that has passed since. */
  async function expectAllowed(count: number, quota: number, perMinute: number, since: number) {
    const refilled = Math.floor(((await redisTime()) - since) / (MINUTE_MS / perMinute))
    expect(count).toBeWithin(quota, quota + refilled + 1)
  }

  test('of 60 requests at once, exactly the burst passes', async () => {
    expect(await letThrough()).toBe(BURST)
    const answer = await servers[0]?.request('GET', '/v1/nothing', {
      headers: { 'X-Forwarded-For': `203.0.113.${addresses}` },
    })
    expect(Number(answer?.headers.get('retry-after'))).toBeWithin(1, 101)
    expect(answer?.headers.get('ratelimit-policy')).toBe('"requests";q=0.01;w=1')
  })

  test('an IPv6 client is its /64 on both', async () => {
    const network = `2001:db8:0:${++addresses}`
    expect((await send(BURST, 'GET', '/v1/nothing', `${network}::1`))(404)).toBe(BURST)
    expect((await send(2, 'GET', '/v1/nothing', `${network}:ffff::9`))(429)).toBe(2)
    expect((await send(1, 'GET', '/v1/nothing', `2001:db8:1:${addresses}::1`))(404)).toBe(1)
  })

  test('failed sign-ins count together, and successful ones do not count', async () => {
    const username = `guessed${++addresses}`
    const user = await servers[0]?.newUser({ username })
    const signIn = (times: number, address: string, password: string) =>
      send(times, 'POST', '/v1/tokens/authentication', address, () => ({ email: user?.email, password }))
    // One after another, because those in flight count as failed.
    const owner = newAddress()
    const since = await redisTime()
    for (let i = 0; i < 4; i++) expect((await signIn(1, owner, PASSWORD))(201)).toBe(1)
    const guesser = newAddress()
    const guesses = await signIn(6, guesser, 'wrong')
    await expectAllowed(guesses(401), 3, 3, since)
    expect(guesses(401) + guesses(429)).toBe(6)
    // Five for the account: two more pass from elsewhere, and the third meets the account's limit.
    const elsewhere = await signIn(3, newAddress(), 'wrong')
    await expectAllowed(guesses(401) + elsewhere(401), 5, 5, since)
    expect(elsewhere(401) + elsewhere(429)).toBe(3)
    // The account has used up its share, and neither instance reveals that for its other name.
    const byUsername = await send(2, 'POST', '/v1/tokens/authentication', owner, () => ({
      username,
      password: PASSWORD,
    }))
    expect(byUsername(401)).toBe(2)
  })

  test('registrations and mails count together', async () => {
    const run = crypto.randomUUID()
    const since = await redisTime()
    const register = await send(6, 'POST', '/v1/users', newAddress(), (i) => ({
      name: 'Many',
      email: `many${i}-${run}@example.com`,
      password: PASSWORD,
    }))
    await expectAllowed(register(201), 4, 4, since)
    expect(register(201) + register(429)).toBe(6)
    // Nine are free, and two count as requested mails. Two at once, as more would wait for their passwords to be hashed.
    const tagged: number[] = []
    for (let from = 0; from < 12; from += 2) {
      const statuses = await send(2, 'POST', '/v1/users', newAddress(), (i) => ({
        name: 'Tagged',
        email: `tagged-${run}+${from + i}@example.com`,
        password: PASSWORD,
      }))
      tagged.push(statuses(201))
    }
    expect(tagged).toEqual([2, 2, 2, 2, 2, 1])
    const ask = await send(4, 'POST', '/v1/tokens/activation', newAddress(), () => ({
      email: `many0-${run}@example.com`,
    }))
    expect(ask(429)).toBeGreaterThanOrEqual(2)
    expect(ask(202)).toBeLessThanOrEqual(2)
  })

  test('its keys expire, and name nobody', async () => {
    const keys = await redis.send('KEYS', '*')
    const names = Array.isArray(keys) ? keys.map(String) : []
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      expect(name).toMatch(/^redlight:([a-z-]+:[\w-]{22}|probe)$/)
      expect(Number(await redis.send('PTTL', name))).toBeWithin(-2, 3_600_001)
      expect(Number(await redis.send('PTTL', name))).not.toBe(-1)
    }
  })

  test('scripts that Redis forgot are sent again', async () => {
    await redis.send('SCRIPT', 'FLUSH')
    expect(await letThrough()).toBe(BURST)
    await untilShared(true)
  })

  test('killed: each instance counts alone and says so once; back: they count together again', async () => {
    await redis.kill()
    await untilShared(false)
    expect(await letThrough()).toBe(2 * BURST)
    await redis.start()
    await untilShared(true)
    expect(await letThrough()).toBe(BURST)
    for (const server of servers) {
      const lines = server.logLines().filter(({ message }) => message.startsWith('limits are'))
      expect(lines.map(({ level }) => level).join()).toMatch(/^info(,warn,info)+$/)
      expect(server.logLines().filter(({ level }) => level === 'error')).toEqual([])
    }
  })

  test('frozen: all are served, and counted together again once it is thawed', async () => {
    const hasty = [await start({}, HASTY_MS), await start({}, HASTY_MS)]
    await untilShared(true, hasty)
    redis.freeze()
    expect(await letThrough(hasty)).toBe(2 * BURST)
    expect(await Promise.all(hasty.map(metric))).toEqual(['0', '0'])
    redis.thaw()
    await untilShared(true, hasty)
    expect(await letThrough()).toBe(BURST)
    for (const server of hasty) await server.stop()
  })

  test('one that refuses writes counts as away', async () => {
    await redis.send('CONFIG', 'SET', 'maxmemory', '1')
    expect(await letThrough()).toBe(2 * BURST)
    expect(await Promise.all(servers.map(metric))).toEqual(['0', '0'])
    await redis.send('CONFIG', 'SET', 'maxmemory', '0')
    await untilShared(true)
    expect(await letThrough()).toBe(BURST)
    expect(JSON.stringify(servers.map((server) => server.logLines()))).toContain('"reason":"OOM"')
  })

  test('a start without it continues, and shows no password', async () => {
    const password = 'not the password'
    const [wrong, nowhere] = [
      await start({ redisUrl: redis.url.replace(/:[^:@/]*@/, `:${encodeURIComponent(password)}@`) }),
      await start({ redisUrl: 'redis://127.0.0.1:1' }),
    ]
    for (const server of [wrong, nowhere]) {
      expect(await metric(server)).toBe('0')
      expect((await server.request('GET', '/debug/vars')).body.limits_shared).toBe(false)
      expect((await server.request('GET', '/v1/healthcheck')).status).toBe(200)
    }
    const logged = JSON.stringify([...servers, wrong, nowhere].map((server) => server.logLines()))
    for (const secret of [password, REDIS_PASSWORD]) {
      expect(logged).not.toContain(secret)
      expect(logged).not.toContain(encodeURIComponent(secret))
    }
    await wrong.stop()
    await nowhere.stop()
  })
})
