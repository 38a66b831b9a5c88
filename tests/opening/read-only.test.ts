import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { startReplica } from '../support/replica'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { staysSo, until } from '../support/until'

// A database that responds but refuses writes.

setDefaultTimeout(240_000)
const POOL_MAX = 3

const health = async (server: TestServer, query = '') =>
  (await server.request('GET', `/v1/healthcheck${query}`)).status
const said = (server: TestServer, words: string) =>
  server.logLines().filter(({ message, reason }) => message === words || reason === words).length

describe('the use that the healthcheck is asked about', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.stop())

  test.each(['', '?', '?for=', '?for=reads', '?for=writes', '?other=1&for=writes', '?for=writes&for=x'])(
    '%p: is answered',
    async (query) => {
      expect(await health(server, query)).toBe(200)
      const url = new URL(`/v1/healthcheck${query}`, server.url)
      expect((await fetch(url, { method: 'HEAD' })).status).toBe(200)
    },
  )

  test.each(['?for=write', '?for=Writes', '?for=%00'])(
    '%p: is refused, with the valid values',
    async (query) => {
      const answer = await server.request('GET', `/v1/healthcheck${query}`)
      expect(answer).toMatchObject({ status: 422, body: { error: { for: 'must be reads or writes' } } })
    },
  )

  test('both metrics say that the database accepts writes', async () => {
    expect((await server.request('GET', '/metrics')).text).toContain('\nredlight_database_writable 1\n')
    expect((await server.request('GET', '/debug/vars')).body).toMatchObject({ database: { writable: true } })
  })
})

describe.skipIf(!canStartPostgres)('a database without writes', () => {
  let primary: PostgresServer
  let standby: Awaited<ReturnType<typeof startReplica>>
  let server: TestServer
  let user: TestUser
  beforeAll(async () => {
    primary = await startPostgres({ fsync: 'off' })
    server = await serverOn(primary.url('redlight'))
    user = await server.newUser()
    standby = await startReplica(primary)
  })
  afterAll(async () => {
    await server?.stop()
    await standby?.dispose()
    await primary?.dispose()
  })

  const serverOn = (url: string, waitMs = 50_000) =>
    startTestServer({}, { database: primary.database({ url, poolMax: POOL_MAX, waitMs }) })
  const statusOf = async (on: TestServer, method: string) => {
    const body = method === 'GET' ? undefined : aMovie(crypto.randomUUID())
    return (await on.request(method, '/v1/movies', { token: user.token, body })).status
  }
  async function expectReadsOnly(on: TestServer, reason: string) {
    await until(() => said(on, reason) > 0)
    const healths = async () => [
      await health(on),
      await health(on, '?for=reads'),
      await health(on, '?for=writes'),
    ]
    // During a few probes.
    await staysSo(async () => Bun.deepEquals(await healths(), [200, 200, 503]), 1500)
    expect(await statusOf(on, 'GET')).toBe(200)
    // More often than there are connections, so none is kept forever.
    for (let i = 0; i < 5; i++) expect(await statusOf(on, 'POST')).toBe(503)
    const answer = await on.request('GET', '/v1/healthcheck?for=writes')
    expect(answer.body).toEqual({ error: 'the database takes no writes now, please try again' })
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await on.request('GET', '/metrics')).text).toContain('\nredlight_database_writable 0\n')
    expect((await on.request('GET', '/debug/vars')).body).toMatchObject({ database: { writable: false } })
    expect(said(on, reason)).toBe(1)
  }

  test('read-only by default: only writes are refused, and they recover by themselves', async () => {
    await primary.admin('alter database redlight set default_transaction_read_only = on', 'postgres')
    await primary.admin(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)
    await until(() => said(server, 'it is read-only') > 0)
    await expectReadsOnly(server, 'it is read-only')
    await primary.admin('alter database redlight reset default_transaction_read_only', 'postgres')
    await until(async () => (await health(server, '?for=writes')) === 200)
    // A session that began meanwhile stays read-only, and is closed after its first refusal.
    const statuses: number[] = []
    for (let i = 0; i < 3 * POOL_MAX; i++) statuses.push(await statusOf(server, 'POST'))
    expect(statuses.filter((status) => status !== 201).length).toBeLessThanOrEqual(POOL_MAX)
    expect(statuses.slice(-POOL_MAX)).toEqual(Array.from({ length: POOL_MAX }, () => 201))
    await until(() => said(server, 'the database takes writes again') > 0)
  })

  test('a standby alone: reads are served if no primary comes, and the log says so', async () => {
    const alone = await serverOn(standby.url, 500)
    try {
      expect(said(alone, 'no primary came in time: only reads are served')).toBe(1)
      await expectReadsOnly(alone, 'it is a standby')
      await standby.order('select pg_promote()')
      await until(async () => (await health(alone, '?for=writes')) === 200)
      expect(await statusOf(alone, 'POST')).toBe(201)
    } finally {
      await alone.stop()
    }
  })
})
