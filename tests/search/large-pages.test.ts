import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { availableParallelism } from 'node:os'
import { testDatabaseUrl } from '../support/database'
import { limits } from '../support/limits'
import { startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// The embedded database has one session, so it reads one thing after another.

setDefaultTimeout(240_000)

const MAX_TYPED = availableParallelism() + 1

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    limiter: limits({ requestsPerSecond: 1000, burst: 1000, exempt: [] }),
    trustedProxies: ['127.0.0.1'],
  })
})
afterAll(() => server.stop())

/** Asks while no movie can be read, so that the database gets `atOnce` of the lists; returns the statuses in the end. */
async function statusesOf(requests: [from: string, query: string][], token: string, atOnce: number) {
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
    const sent = requests.map((request) => list(...request))
    await until(async () => (await waits()) === atOnce)
    const inFlight = async () => (await server.figures('/debug/vars')).body.in_flight_requests
    await until(async () => Number(await inFlight()) > requests.length)
    expect(await waits()).toBe(atOnce)
    await others.end()
    return sent
  })
  return (await Promise.all(waiting)).map(({ status }) => status)
}

describe.skipIf(testDatabaseUrl === undefined)('on a server', () => {
  test('a client’s large pages are read one after another, in parallel with small ones and those of others', async () => {
    const { token } = await server.newUser()
    const large = [21, 50, 99, 100].map((size): [string, string] => ['203.0.113.1', `page_size=${size}`])
    const others: [string, string][] = [
      ['203.0.113.2', 'page_size=100&sort=-id'],
      ['203.0.113.1', 'page_size=20'],
    ]
    expect(await statusesOf([...large, ...others], token, 3)).toEqual([200, 200, 200, 200, 200, 200])
  })

  // The pool of the tests has five.
  test.skipIf(MAX_TYPED > 4)(
    'there are few more searches by q at once than processors, but other lists',
    async () => {
      const { token } = await server.newUser()
      const typed = Array.from({ length: 6 }, (_, n): [string, string] => [`203.0.113.${n}`, `q=moana${n}`])
      expect(await statusesOf([...typed, ['203.0.113.9', 'title=moana']], token, MAX_TYPED + 1)).toEqual(
        Array(7).fill(200),
      )
    },
  )
})
