import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(240_000)

const WRITES = 30

// With a standby that never confirms, every commit waits, but no read.
describe.skipIf(!canStartPostgres)('while a synchronous standby is frozen', () => {
  let postgres: PostgresServer
  let server: TestServer
  let users: TestUser[]
  const ids: number[] = []

  beforeAll(async () => {
    postgres = await startPostgres({ autovacuum: 'off' })
    const database = { kind: 'postgres', url: postgres.url('redlight'), poolMax: 5, waitMs: 5000 } as const
    const own = { config: database, connect: () => postgres.connect(), drop: () => postgres.dispose() }
    server = await startTestServer({ database }, { database: own })
    users = [await server.newUser(), await server.newUser(), await server.newUser()]
    const [{ token = '' } = {}] = users
    for (let i = 0; i < WRITES; i++) {
      const answer = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
        token,
        body: aMovie(`Waiting ${i}`),
      })
      ids.push(answer.body.movie.id)
    }
  })
  afterAll(async () => {
    await server?.stop()
    await postgres?.dispose()
  })

  const waitForStandby = async (name: string) => {
    await postgres.admin(`alter system set synchronous_standby_names = '${name}'`)
    await postgres.admin('select pg_reload_conf()')
  }
  const by = (place: number) => ({ token: users[place % users.length]?.token ?? '' })
  const waiting = async () =>
    (await server.sql`select from pg_stat_activity where wait_event = 'SyncRep' and usename = 'app'`).length

  test('waiting writes leave connections for reads, even of the same users', async () => {
    await waitForStandby('nowhere')
    let isFrozen = true
    const statuses = new Set<number>()
    const writers = ids.map(async (id, i) => {
      // Adding again what is there would write nothing.
      for (let times = 0; isFrozen; times++) {
        const method = times % 2 === 0 ? 'PUT' : 'DELETE'
        statuses.add((await server.request(method, `/v1/users/me/favourites/${id}`, by(i))).status)
      }
    })
    // Writes may use at most three of five connections.
    await until(async () => (await waiting()) === 3)
    // Not all at once: on a busy machine, the last ones would wait too long for the others.
    for (const [i, id] of ids.entries()) {
      const reads = await Promise.all([
        server.request('GET', `/v1/movies/${id}`, by(i)),
        server.request('GET', `/v1/movies?page=${1 + i}`, by(i)),
      ])
      expect(reads.map(({ status }) => status)).toEqual([200, 200])
    }
    isFrozen = false
    await waitForStandby('')
    await Promise.all(writers)
    for (const status of statuses) expect([200, 404, 503]).toContain(status)
    expect((await server.request('PUT', `/v1/users/me/favourites/${ids[0]}`, by(0))).status).toBe(200)
  })
})
