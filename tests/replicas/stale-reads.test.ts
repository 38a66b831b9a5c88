import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createAuthenticator } from '../../src/access/authenticator'
import { createPrimaryWatch } from '../../src/replicas/primary-watch'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { startReplica } from '../support/replica'
import { aMovie, PASSWORD, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A primary that goes away, and a replica that stands in.

setDefaultTimeout(240_000)
/** Longer than any test, so that a slow machine never makes the replica too far behind. */
const PATIENT_MS = 60_000
const HASTY_MS = 1000

describe.skipIf(!canStartPostgres)('while the primary is away', () => {
  let primary: PostgresServer
  let replica: Awaited<ReturnType<typeof startReplica>>
  let server: TestServer
  let user: TestUser
  let movieId: number

  const start = (maxLagMs: number) =>
    startTestServer({}, { database: primary.database({ replicas: { urls: [replica.url], maxLagMs } }) })

  beforeAll(async () => {
    primary = await startPostgres({ fsync: 'off', max_connections: 60 })
    replica = await startReplica(primary)
    server = await start(PATIENT_MS)
    user = await server.newUser()
    movieId = await write('Kept')
    await get(`/v1/users/me/favourites/${movieId}`, 'PUT')
    await untilReplicaIsCurrent()
  })
  afterAll(async () => {
    await server?.stop()
    await replica?.dispose()
    await primary?.dispose()
  })
  afterEach(async () => {
    await primary.thaw().catch(() => {})
    await primary.start().catch(() => {})
    await until(async () => (await health('?for=writes')) === 200)
    await untilReplicaIsCurrent()
    await until(async () => !(await isStale()))
  })

  const get = (path: string, method = 'GET', headers = {}, of = server) =>
    of.request<Record<string, unknown>>(method, path, { token: user.token, headers })
  async function write(title: string): Promise<number> {
    const body = aMovie(title)
    const answer = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: user.token,
      body,
    })
    expect(answer.status).toBe(201)
    return answer.body.movie.id
  }
  const health = async (query = '', of = server) =>
    (await of.request('GET', `/v1/healthcheck${query}`)).status
  type Vars = {
    database: { writable: boolean; replicas: { servers: { serves: boolean; lag_seconds: number | null }[] } }
  }
  const vars = async (of = server) => (await of.request<Vars>('GET', '/debug/vars')).body.database
  /** Metrics may be half a second old, from before the primary was back; a small lag can't be. */
  const untilReplicaIsCurrent = () =>
    until(async () => {
      const [{ serves, lag_seconds } = { serves: false, lag_seconds: null }] = (await vars()).replicas.servers
      return serves && lag_seconds !== null && lag_seconds < 1
    })
  const age = ({ headers }: { headers: Headers }) => Number(headers.get('x-redlight-stale') ?? 0)
  const isStale = async (of = server) => age(await get('/v1/movies', 'GET', {}, of)) > 0

  /** Reads from the start of the fault until one is stale; none may fail. */
  async function untilStale(fault: () => Promise<unknown>) {
    const statuses = new Set<number>()
    let isOver = false
    const readers = [`/v1/movies/${movieId}`, '/v1/movies', '/v1/users/me/favourites'].map(async (path) => {
      while (!isOver) statuses.add((await get(path)).status)
    })
    await fault()
    await until(() => isStale())
    isOver = true
    await Promise.all(readers)
    expect([...statuses]).toEqual([200])
  }

  const faults = [
    { name: 'killed', fault: () => primary.stop('immediate') },
    { name: 'frozen', fault: () => primary.freeze() },
  ]
  test.each(faults)(
    '$name: reads of movies and favourites continue, and say how old they are',
    async ({ fault }) => {
      expect((await get('/v1/movies')).headers.has('x-redlight-stale')).toBe(false)
      await untilStale(fault)
      const etag = { 'If-None-Match': '"1"' }
      for (const [path, status, headers] of [
        ['/v1/movies', 200],
        [`/v1/movies/${movieId}`, 200],
        [`/v1/movies/${movieId}`, 304, etag],
        ['/v1/movies/999999', 404],
        ['/v1/users/me/favourites', 200],
      ] as const) {
        const answer = await get(path, 'GET', headers)
        expect({ path, status: answer.status }).toEqual({ path, status })
        expect(answer.headers.get('x-redlight-stale')).toMatch(/^[1-9]\d*$/)
      }
      expect((await server.request('GET', '/v1/movies', { token: 'x.y.z' })).status).toBe(401)
      expect([await health(), await health('?for=reads'), await health('?for=writes')]).toEqual([
        200, 200, 503,
      ])
      expect((await vars()).writable).toBe(false)
    },
  )

  test('writes and sign-ins get 503, and their users can still read', async () => {
    await untilStale(() => primary.stop('immediate'))
    const signIn = { body: { email: user.email, password: PASSWORD } }
    const statuses = await Promise.all([
      server
        .request('POST', '/v1/movies', { token: user.token, body: aMovie('Refused') })
        .then(({ status }) => status),
      server.request('POST', '/v1/tokens/authentication', signIn).then(({ status }) => status),
      get(`/v1/movies/${movieId}`, 'DELETE').then(({ status }) => status),
      get(`/v1/users/me/favourites/${movieId}`, 'DELETE').then(({ status }) => status),
    ])
    expect(statuses).toEqual([503, 503, 503, 503])
    expect((await get('/v1/movies')).status).toBe(200)
    const said = (start: string) =>
      server.logLines().filter(({ message }) => message.startsWith(start)).length
    await until(async () => said('the primary is away') === said('the primary is back') + 1)
  })

  test('once it is back, reads are current, and revoked permissions apply', async () => {
    await untilStale(() => primary.stop('immediate'))
    await primary.start()
    await until(async () => !(await isStale()))
    const other = await server.newUser()
    expect((await server.request('GET', '/v1/movies', { token: other.token })).status).toBe(200)
    await server.sql`delete from users_permissions where user_id = ${other.id}`
    await until(
      async () => (await server.request('GET', '/v1/movies', { token: other.token })).status === 403,
    )
  })

  test('without a replica reads fail, and with it they work again', async () => {
    await untilStale(() => primary.stop('immediate'))
    await replica.kill()
    await until(async () => (await health()) === 503)
    expect((await get('/v1/movies')).status).toBe(503)
    await replica.start()
    await until(async () => (await health()) === 200)
    expect(await isStale()).toBe(true)
  })

  test('a replica that is slow for a while is read when it answers', async () => {
    await untilStale(() => primary.stop('immediate'))
    const failures = () =>
      server.logLines().filter(({ message }) => message === 'a read failed at a replica').length
    const before = failures()
    await replica.freeze()
    const reading = get('/v1/movies')
    await until(() => failures() > before)
    await replica.thaw()
    const answers = [await reading, await get('/v1/movies'), await get('/v1/users/me/favourites')]
    expect(answers.map(({ status, headers }) => [status, age({ headers }) > 0])).toEqual([
      [200, true],
      [200, true],
      [200, true],
    ])
  })

  test('a replica that was too far behind is not read', async () => {
    const hasty = await start(HASTY_MS)
    await until(async () => (await vars(hasty)).replicas.servers[0]?.serves)
    await replica.order('select pg_wal_replay_pause()')
    await write(`Unknown There ${crypto.randomUUID()}`)
    // Clearly too old: the last moment at which the primary responded counts.
    const lag = async () => (await vars(hasty)).replicas.servers[0]?.lag_seconds ?? 0
    await until(async () => (await lag()) > (2 * HASTY_MS) / 1000)
    await primary.stop('immediate')
    await until(async () => (await health('', hasty)) === 503)
    expect((await get('/v1/movies', 'GET', {}, hasty)).status).toBe(503)
    // It has everything, and only needs to replay it.
    await replica.order('select pg_wal_replay_resume()')
    await until(() => isStale(hasty))
    // Its connections wait for a primary.
    await primary.start()
    await hasty.stop()
  })
})

describe('the watch of the primary', () => {
  test('considers it away after a second without an answer, and for too long after a quarter of an hour', () => {
    let now = 0
    const watch = createPrimaryWatch(() => now)
    const state = () => [watch.isAway(), watch.isAwayTooLong()]
    watch.answered(0)
    now = 60_000
    expect(state()).toEqual([false, false])
    watch.answered(60_000)
    now = 60_900
    watch.failed()
    expect(state()).toEqual([false, false])
    now = 61_001
    expect(state()).toEqual([true, false])
    now = 60_000 + 15 * 60_000
    expect(state()).toEqual([true, false])
    now++
    expect(state()).toEqual([true, true])
    watch.answered(now)
    expect(state()).toEqual([false, false])
  })

  test('ends waits when it goes away, and passes other errors on', async () => {
    let now = 0
    const watch = createPrimaryWatch(() => now)
    const hanging = watch.orAway(() => new Promise<string>(() => {}))
    const refused = watch.orAway(() => Promise.reject(new Error('a mistake')))
    expect(await watch.orAway(async () => 'an answer')).toBe('an answer')
    expect(await refused.catch((error: Error) => error.message)).toBe('a mistake')
    now = 2000
    watch.failed()
    expect(typeof (await hanging)).toBe('symbol')
    expect(typeof (await watch.orAway(async () => 'too late'))).toBe('symbol')
  })

  test('takes no answer from before a failure for one after it', async () => {
    let now = 1000
    const watch = createPrimaryWatch(() => now)
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
    const closed = Object.assign(new Error('closed'), { code: 'CONNECTION_CLOSED' })
    const failing = watch.orAway(() => Promise.reject(closed))
    await turn()
    watch.answered(900)
    await turn()
    now = 2000
    watch.failed()
    expect(typeof (await failing)).toBe('symbol')
  })

  test('asks again when it answers after a failure, as it may while it stops, but only twice', async () => {
    let now = 1000
    const watch = createPrimaryWatch(() => now)
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
    const closed = Object.assign(new Error('closed'), { code: 'CONNECTION_CLOSED' })
    let asked = 0
    const failing = (times: number) => {
      asked = 0
      return watch.orAway(() => (++asked <= times ? Promise.reject(closed) : Promise.resolve('an answer')))
    }
    const replaced = failing(1)
    await turn()
    watch.answered(1001)
    expect([await replaced, asked]).toEqual(['an answer', 2])
    const stopping = failing(2)
    await turn()
    watch.answered(1002)
    await turn()
    now = 3000
    watch.failed()
    expect([typeof (await stopping), asked]).toEqual(['symbol', 2])
    watch.answered(3000)
    const busy = failing(3)
    for (const at of [3001, 3002, 3003]) {
      await turn()
      watch.answered(at)
    }
    expect([await busy.catch((error: Error) => error.message), asked]).toEqual(['closed', 3])
  })
})

test('permissions from a replica are read for each request, and never cached', async () => {
  const known = { id: 7, name: 'x', username: null, activated: true, tokenGeneration: 1 } as const
  const permissions = new Set(['movies:read'])
  const keyIds = new Set<number>()
  let isAway = true
  let asked = 0
  const { authenticate } = createAuthenticator({
    jwt: { verify: async () => ({ userId: 7, tokenGeneration: 1, authTime: 0, exp: 0 }) },
    isCurrent: () => true,
    findKey: async () => undefined,
    load: async () => undefined,
    async orStale(_, load) {
      if (!isAway) return load()
      asked++
      return { ...known, permissions, keyIds }
    },
  })
  for (let i = 0; i < 3; i++) expect((await authenticate('a token'))?.user.id).toBe(7)
  expect(asked).toBe(3)
  isAway = false
  expect(await authenticate('a token')).toBeUndefined()
})
