import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { testDatabaseUrl } from '../support/database'
import { limits } from '../support/limits'
import { startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// The embedded database has one session, so it reads one thing after another.

setDefaultTimeout(240_000)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    limiter: limits({ requestsPerSecond: 1000, burst: 1000, exempt: [] }),
    trustedProxies: ['127.0.0.1'],
  })
})
afterAll(() => server.stop())

test.skipIf(testDatabaseUrl === undefined)(
  'a client’s large pages are read one after another, in parallel with small ones and those of others',
  async () => {
    const { token } = await server.newUser()
    const list = (from: string, query: string) =>
      server.request('GET', `/v1/movies?${query}`, { token, headers: { 'X-Forwarded-For': from } })
    expect((await list('203.0.113.1', 'page_size=1')).status).toBe(200)
    const waiting = await server.sql.begin(async (tx) => {
      await tx`lock table movies in access exclusive mode`
      const others = server.database.connect()
      const waits = async () => {
        const [row] = await others`select count(*)::int as reads from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`
        return row?.reads
      }
      const large = [21, 50, 99, 100].map((size) => list('203.0.113.1', `page_size=${size}`))
      const more = [list('203.0.113.2', 'page_size=100&sort=-id'), list('203.0.113.1', 'page_size=20')]
      await until(async () => (await waits()) === 3)
      const inFlight = async () => (await server.figures('/debug/vars')).body.in_flight_requests
      await until(async () => Number(await inFlight()) > large.length + more.length)
      expect(await waits()).toBe(3)
      await others.end()
      return [...large, ...more]
    })
    const statuses = (await Promise.all(waiting)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200])
  },
)
