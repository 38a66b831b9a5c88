import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createPrimaryLog } from '../../src/replicas/lag'
import { createOwnWrites } from '../../src/replicas/own-writes'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { startReplica } from '../support/replica'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A primary and a streaming replica on this machine; the replica is paused, frozen, killed and promoted.

setDefaultTimeout(240_000)
/** Longer than any test, so that a slow machine never makes the replica too far behind. */
const PATIENT_MS = 60_000
const HASTY_MS = 1000

describe.skipIf(!canStartPostgres)('with a streaming replica', () => {
  let primary: PostgresServer
  let replica: Awaited<ReturnType<typeof startReplica>>
  let server: TestServer
  let writer: TestUser
  let reader: TestUser

  const start = (urls: string[], maxLagMs = PATIENT_MS) =>
    startTestServer({}, { database: primary.database({ replicas: { urls, maxLagMs } }) })

  beforeAll(async () => {
    primary = await startPostgres({ fsync: 'off', max_connections: 60 })
    replica = await startReplica(primary)
    server = await start([replica.url])
    writer = await server.newUser()
    reader = await server.newUser()
  })
  afterAll(async () => {
    await server?.stop()
    await replica?.dispose()
    await primary?.dispose()
  })
  beforeEach(() => untilReplicaServes(true))

  type Vars = {
    database: {
      replicas: {
        reads: { replicas: number; primary: number }
        servers: { name: string; serves: boolean; lag_seconds: number | null }[]
      }
    }
  }
  const state = async (of = server) => (await of.figures<Vars>('/debug/vars')).body.database.replicas
  async function untilReplicaServes(expected: boolean, of = server) {
    await until(async () => (await state(of)).servers[0]?.serves === expected)
  }
  /** Counts the reads of some work by server. */
  async function servers(work: () => Promise<unknown>, of = server) {
    const before = (await state(of)).reads
    await work()
    const after = (await state(of)).reads
    return { replica: after.replicas - before.replicas, primary: after.primary - before.primary }
  }
  const get = (path: string, { token } = reader, headers = {}, of = server) =>
    of.request<Record<string, unknown>>('GET', path, { token, headers })
  async function write(title: string): Promise<number> {
    const answer = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: writer.token,
      body: aMovie(title),
    })
    expect(answer.status).toBe(201)
    return answer.body.movie.id
  }
  const titles = async (who: TestUser, of = server) =>
    JSON.stringify((await get('/v1/movies?page_size=100&sort=-id', who, {}, of)).body.movies)
  const pause = () => replica.order('select pg_wal_replay_pause()')
  const resume = () => replica.order('select pg_wal_replay_resume()')

  test('only the lists and a movie are read there', async () => {
    const id = await write('On Both')
    await untilSeen('On Both')
    const paths = ['/v1/movies', `/v1/movies/${id}`, '/v1/users/me/favourites', '/v1/movies?title=both']
    for (const path of paths) {
      const who = await servers(async () => expect((await get(path)).status).toBe(200))
      expect([path, who]).toEqual([path, { replica: 1, primary: 0 }])
    }
    const others = await servers(async () => {
      expect((await get('/v1/users/me')).status).toBe(200)
      const patch = { token: writer.token, body: { director: 'Someone' }, headers: { 'If-Match': '"1"' } }
      expect((await server.request('PATCH', `/v1/movies/${id}`, patch)).status).toBe(200)
      expect((await server.request('DELETE', `/v1/movies/${id}`, { token: writer.token })).status).toBe(200)
    })
    expect(others).toEqual({ replica: 0, primary: 0 })
  })

  /** Waits until a reader who wrote nothing gets a movie. */
  async function untilSeen(title: string) {
    await until(async () => (await titles(reader)).includes(title))
  }

  test('writers read their writes at once, others once the replica has them', async () => {
    const hasty = await start([replica.url], HASTY_MS)
    await untilReplicaServes(true, hasty)
    await untilSeenByAll()
    await pause()
    const id = await write('Only Mine')
    // The replica still serves, without this write.
    expect(await servers(async () => expect(await titles(reader)).not.toContain('Only Mine'))).toEqual({
      replica: 1,
      primary: 0,
    })
    expect(await servers(async () => expect(await titles(writer)).toContain('Only Mine'))).toEqual({
      replica: 0,
      primary: 1,
    })
    // A record missing there is looked up on the primary.
    expect((await get(`/v1/movies/${id}`)).status).toBe(200)
    expect(
      (await server.request('PUT', `/v1/users/me/favourites/${id}`, { token: reader.token })).status,
    ).toBe(200)
    expect(JSON.stringify((await get('/v1/users/me/favourites')).body)).toContain('Only Mine')
    // Beyond the maximum, the primary serves everyone.
    await untilReplicaServes(false, hasty)
    await until(async () => ((await state(hasty)).servers[0]?.lag_seconds ?? 0) >= HASTY_MS / 1000)
    const hastily = await servers(
      async () => expect(await titles(reader, hasty)).toContain('Only Mine'),
      hasty,
    )
    expect(hastily).toEqual({ replica: 0, primary: 1 })
    expect(JSON.stringify(hasty.logLines())).toContain('it is too far behind')
    await resume()
    await untilReplicaServes(true, hasty)
    await hasty.stop()
    await untilSeen('Only Mine')
  })

  /** Waits until no user's reads go to the primary because of a recent write. */
  async function untilSeenByAll() {
    const isOnReplica = async (who: TestUser) => (await servers(() => titles(who))).replica === 1
    await until(async () => (await isOnReplica(writer)) && (await isOnReplica(reader)))
  }

  test('a client never gets an earlier version than it has seen', async () => {
    const id = await write('Seen')
    await untilSeen('Seen')
    await pause()
    const patched = await server.request('PATCH', `/v1/movies/${id}`, {
      token: writer.token,
      body: { director: 'Later' },
    })
    expect(patched.headers.get('etag')).toBe('"2"')
    expect((await get(`/v1/movies/${id}`)).headers.get('etag')).toBe('"1"')
    const headers = { 'If-None-Match': '"2"' }
    expect((await get(`/v1/movies/${id}`, reader, headers)).status).toBe(304)
    await resume()
  })

  /** Statuses of reads during a fault of the replica. */
  async function readsDuring(fault: () => Promise<unknown>, until: () => Promise<unknown>) {
    const statuses = new Map<number, number>()
    let isOver = false
    const readers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const { status } = await get('/v1/movies')
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    })
    await fault()
    await until()
    isOver = true
    await Promise.all(readers)
    return [...statuses.keys()]
  }

  test('killed under load: no read fails, and it serves again once it is back', async () => {
    expect(await readsDuring(replica.kill, () => untilReplicaServes(false))).toEqual([200])
    expect(await servers(() => get('/v1/movies'))).toEqual({ replica: 0, primary: 1 })
    expect(await readsDuring(replica.start, () => untilReplicaServes(true))).toEqual([200])
    await untilReplicaServes(true)
  })

  test('frozen under load: no read fails, and it serves again once it is thawed', async () => {
    expect(await readsDuring(replica.freeze, () => untilReplicaServes(false))).toEqual([200])
    expect(await servers(() => get('/v1/movies'))).toEqual({ replica: 0, primary: 1 })
    await replica.thaw()
  })

  test('a query that is cancelled there is repeated on the primary', async () => {
    const cancel = `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`
    const statuses = await readsDuring(
      async () => {
        for (let i = 0; i < 5; i++) await replica.order(cancel)
      },
      async () => {},
    )
    expect(statuses).toEqual([200])
  })

  test('both metrics show it, without a password', async () => {
    const { text } = await server.figures('/metrics')
    expect(text).toContain(`redlight_database_replica_serves{replica="${replica.name}"} 1`)
    expect(text).toMatch(/^redlight_database_replica_lag_seconds\{replica="127[^"]+"\} \d/m)
    expect(text).toMatch(/^redlight_database_reads_total\{server="replica"\} [1-9]/m)
    expect(text).toMatch(/^redlight_database_reads_total\{server="primary"\} [1-9]/m)
    const told = JSON.stringify(server.logLines().filter(({ message }) => message.includes('replica')))
    expect(told).toContain('a replica serves reads')
    expect(told).toContain('it does not answer')
    expect(told + text).not.toContain('hunter2')
    expect(server.logLines().filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a server that is not a replica of this database is never read', async () => {
    await primary.admin('create database elsewhere owner app', 'postgres')
    await until(
      async () => (await replica.order(`select from pg_database where datname = 'elsewhere'`)).length > 0,
    )
    const wrong = [
      replica.url.replace('/redlight', '/elsewhere'),
      primary.url('redlight'),
      'postgres://127.0.0.1:1/x',
    ]
    const other = await start(wrong)
    try {
      const reasons = () =>
        other
          .logLines()
          .filter(({ message }) => message.includes('a replica'))
          .map(({ reason }) => reason)
      await until(() => reasons().length >= wrong.length)
      expect((await other.request('GET', '/v1/movies', { token: reader.token })).status).toBe(200)
      expect((await state(other)).servers.map(({ serves }) => serves)).toEqual([false, false, false])
      expect((await state(other)).reads).toEqual({ replicas: 0, primary: 1 })
      expect(reasons().sort()).toEqual([
        'it does not answer',
        'it is no longer a replica',
        'it is not a replica of the database in DATABASE_URL',
      ])
    } finally {
      await other.stop()
    }
  })

  test('a promoted one is no longer a replica', async () => {
    await replica.order('select pg_promote()')
    await untilReplicaServes(false)
    expect((await get('/v1/movies')).status).toBe(200)
  }, 240_000)
})

describe('the state of a replica', () => {
  const answer = (position: bigint, identity = 'a') => ({ position, identity, standby: false })

  test('includes everything up to the last moment at which the primary was no further', () => {
    const log = createPrimaryLog(1000)
    for (const [at, position] of [
      [100, 10n],
      [200, 10n],
      [300, 20n],
    ] as const)
      log.record(at, answer(position))
    expect([9n, 10n, 19n, 20n, 99n].map(log.knownBy)).toEqual([undefined, 200, 200, 300, 300])
    const isAhead = (position: bigint, at: number) => log.isAhead({ position, at })
    expect([isAhead(20n, 300), isAhead(21n, 300)]).toEqual([false, true])
    // It may have replayed what the primary wrote just before it went away.
    expect(isAhead(21n, 301)).toBeUndefined()
    log.record(1250, answer(30n))
    expect(log.knownBy(10n)).toBeUndefined()
  })

  test('is discarded once another primary has taken over', () => {
    const log = createPrimaryLog(1000)
    log.record(100, answer(10n))
    log.record(200, answer(5n))
    expect([log.knownBy(7n), log.isAhead({ position: 10n, at: 150 })]).toEqual([200, true])
    log.record(300, answer(50n, 'b'))
    expect([log.knownBy(7n), log.isOf('a'), log.isOf('b')]).toEqual([undefined, false, true])
  })

  test('with too many writers to track, all users count as writers', () => {
    let now = 1000
    const writes = createOwnWrites(500, () => now)
    for (let id = 0; id < 100_000; id++) writes.wrote(id)
    expect([writes.lastOf(1), writes.lastOf(-1)]).toEqual([1000, Number.NEGATIVE_INFINITY])
    now = 1200
    writes.wrote(100_001)
    expect([writes.lastOf(1), writes.lastOf(-1), writes.lastOf(100_001)]).toEqual([1200, 1200, 1200])
    now = 5000
    writes.wrote(7)
    expect(writes.lastOf(7)).toBe(5000)
  })
})
