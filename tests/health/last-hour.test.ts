import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Point, startLastHour } from '../../src/health/last-hour'
import { startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

type Figures = { every_seconds: number; instance: string; points: Point[] }

describe('the figures of the last hour', () => {
  let server: TestServer
  let admin: TestUser
  /** Seconds that the clock is ahead; each point has a second of its own. */
  let ahead = 0
  beforeAll(async () => {
    const timing = {
      now: () => performance.now(),
      date: () => Date.UTC(2026, 0, 1) + 1000 * ahead++,
      figuresMs: 40,
    }
    server = await startTestServer({}, { timing })
    admin = await server.newUser({ permissions: ['admin', 'movies:read'] })
    const { sql } = server
    await sql`select 1`
  })
  afterAll(() => server.stop())

  const figures = async (query = '') => {
    const answer = await fetch(new URL(`/v1/admin/figures${query}`, server.url), {
      headers: { Authorization: `Bearer ${admin.token}` },
    })
    return { status: answer.status, body: (await answer.json()) as Figures & { error?: unknown } }
  }

  test('count what was answered, and how fast', async () => {
    // The clock of tokens is the one that is moved.
    admin.token = await server.signIn(admin.email)
    await server.request('GET', '/v1/movies', { token: admin.token })
    await server.request('GET', '/v1/movies/999', { token: admin.token })
    const { body } = await until(async () => {
      const found = await figures()
      const sum = (name: '2xx' | '4xx') =>
        found.body.points.reduce((all, { requests }) => all + requests[name], 0)
      return sum('2xx') >= 2 && sum('4xx') >= 1 && found
    })
    expect([body.every_seconds, body.instance]).toEqual([10, expect.stringMatching(/^.+:\d+$/)])
    const busy = body.points.find(({ requests }) => requests['2xx'] > 0)
    expect(busy).toEqual({
      at: expect.stringMatching(/^2026-01-01T\d\d:\d\d:\d\dZ$/),
      requests: { '2xx': expect.any(Number), '3xx': 0, '4xx': expect.any(Number), '5xx': 0 },
      p50_ms: expect.any(Number),
      p99_ms: expect.any(Number),
      event_loop_lag_ms: expect.any(Number),
      memory_mb: expect.any(Number),
      database: { busy: expect.any(Number), waiting: expect.any(Number) },
      mails_waiting: expect.anything(),
      limited: 0,
    })
    const times = body.points.map(({ at }) => at)
    expect(times).toEqual([...times].sort())
  })

  test('are sent from a time on', async () => {
    const [first, second] = (await until(async () => {
      const { body } = await figures()
      return body.points.length > 2 && body.points
    })) as [Point, Point]
    expect((await figures(`?since=${first.at}`)).body.points[0]).toEqual(second)
    expect((await figures('?since=2030-01-01T00:00:00Z')).body.points).toEqual([])
    expect((await figures('?since=')).body.points[0]).toEqual(first)
    expect(await figures('?since=now')).toMatchObject({
      status: 422,
      body: { error: { since: 'must be a time like 2026-01-02T03:04:05Z' } },
    })
  })
})

test('a point has percentiles that are nearly right, and the hour 360 points', async () => {
  let seconds = 0
  const hour = startLastHour({
    pool: () => ({ busy: 1, waiting: 2 }),
    mails: async () => ({ waiting: Number.NaN }),
    date: () => 1000 * seconds++,
    everyMs: 1,
  })
  for (let ms = 1; ms <= 1000; ms++) hour.requestEnded(ms <= 990 ? 200 : 429, ms / 1000)
  const counted = await until(() => hour.points().find(({ p50_ms }) => p50_ms !== null))
  expect(counted.requests).toEqual({ '2xx': 990, '3xx': 0, '4xx': 10, '5xx': 0 })
  expect([counted.limited, counted.mails_waiting, counted.database]).toEqual([
    10,
    null,
    { busy: 1, waiting: 2 },
  ])
  expect(Math.abs(Number(counted.p50_ms) - 500)).toBeLessThan(30)
  expect(Math.abs(Number(counted.p99_ms) - 990)).toBeLessThan(60)
  await until(() => seconds > 400)
  hour.stop()
  expect(hour.points().length).toBeLessThanOrEqual(360)
  expect(hour.points()[0]?.p50_ms).toBeNull()
})
