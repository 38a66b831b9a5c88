import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from '../../src/db/client'
import { createLog } from '../../src/log'
import { failureOf } from '../support/embedded'
import { canStartPgBouncer, startPgBouncer } from '../support/pgbouncer'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { aMovie, PASSWORD, startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// Debian's PgBouncer in transaction mode, with fewer connections to the server than the service has to PgBouncer.

setDefaultTimeout(240_000)
const LIMITS = 'statement_timeout = 3500; lock_timeout = 3000; idle_in_transaction_session_timeout = 7000'

describe.skipIf(!(canStartPostgres && canStartPgBouncer))('through PgBouncer in transaction mode', () => {
  let postgres: PostgresServer
  let pgbouncer: Awaited<ReturnType<typeof startPgBouncer>>
  let server: TestServer

  const start = () =>
    startTestServer(
      {},
      {
        database: postgres.database({ url: pgbouncer.url, directUrl: postgres.url('redlight'), poolMax: 8 }),
      },
    )
  const warnings = (of: TestServer) =>
    of.logLines().filter(({ level }) => level === 'warn' || level === 'error')

  beforeAll(async () => {
    postgres = await startPostgres({ fsync: 'off', max_connections: 40 })
    pgbouncer = await startPgBouncer(postgres, 3)
    server = await start()
  })
  afterAll(async () => {
    await server?.stop()
    await pgbouncer?.dispose()
    await postgres?.dispose()
  })

  test('the start reports missing limits of the role, and nothing once they are set', async () => {
    expect(JSON.stringify(warnings(server))).toContain('ALTER ROLE app SET statement_timeout = 3500;')
    for (const limit of LIMITS.split('; ')) await postgres.admin(`alter role app set ${limit}`)
    await postgres.admin("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
    const again = await start()
    expect(JSON.stringify(warnings(again))).not.toContain('ALTER ROLE')
    // It would send some of the mails that the next tests look for.
    await again.stop()
  })

  test('a start refuses settings that can’t be pinned through a pooler, and says how to change them', async () => {
    const problem = async () => (await failureOf(start())).message
    const leave = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"
    const change = async (statement: string) => {
      await postgres.admin(statement)
      await postgres.admin(leave)
    }
    await change("alter database redlight set default_transaction_isolation = 'serializable'")
    expect(await problem()).toBe(
      'behind the pooler default_transaction_isolation is serializable; run this, then restart PgBouncer: ' +
        "ALTER ROLE app SET default_transaction_isolation = 'read committed';",
    )
    await change(
      'create schema app; grant all on schema app to app; alter role app in database redlight set bytea_output = escape',
    )
    const told = await problem()
    expect(told).toContain('ALTER ROLE app IN DATABASE redlight SET bytea_output = hex;')
    expect(told).toContain('ALTER ROLE app SET search_path = public, extensions, heroku_ext;')
    // PgBouncer keeps DateStyle for each client.
    await change("alter database redlight set datestyle = 'German'")
    for (const statement of told.match(/ALTER ROLE [^;]+;/g) ?? []) await postgres.admin(statement)
    await postgres.admin(leave)
    const odd = await start()
    expect((await odd.newUser()).id).toBeGreaterThan(0)
    await odd.stop()
  })

  test('every kind of request works, also on another connection', async () => {
    const email = 'walker@example.com'
    const ask = async (method: string, path: string, token?: string, body?: unknown) => {
      const answer = await server.request<Record<string, never>>(method, path, { token, body })
      return { status: answer.status, body: answer.body }
    }
    expect((await ask('POST', '/v1/users', undefined, { name: 'W', email, password: PASSWORD })).status).toBe(
      201,
    )
    const activation = await server.mailedToken(email)
    expect((await ask('PUT', '/v1/users/activated', undefined, { token: activation })).status).toBe(200)
    const token = await server.signIn(email)
    for (let round = 0; round < 4; round++) {
      const made = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
        token,
        body: aMovie(`Pooled ${round}`, { cast: ['A', 'B'], release_date: '2001-02-03' }),
      })
      expect(made.status).toBe(201)
      const path = `/v1/movies/${made.body.movie.id}`
      const favourite = `/v1/users/me/favourites/${made.body.movie.id}`
      const walk: [string, string, number, unknown?][] = [
        ['GET', path, 200],
        ['PATCH', path, 200, { director: 'Someone' }],
        ['PATCH', path, 422, { year: 'x' }],
        ['POST', '/v1/movies', 422, aMovie(`Pooled ${round}`)],
        ['GET', `/v1/movies?title=pooled&genres=drama&cast=a&director=someone&year=2001&sort=-title`, 200],
        ['GET', '/v1/movies?page=200&page_size=100', 200],
        ['PUT', favourite, 200],
        ['GET', '/v1/users/me/favourites?sort=-added', 200],
        ['DELETE', favourite, 200],
        ['GET', '/v1/users/me', 200],
        ['DELETE', path, 200],
        ['GET', path, 404],
      ]
      for (const [method, at, status, body] of walk)
        expect([method, at, (await ask(method, at, token, body)).status]).toEqual([method, at, status])
    }
    expect((await ask('POST', '/v1/tokens/password-reset', undefined, { email })).status).toBe(202)
    expect((await ask('GET', '/v1/healthcheck')).status).toBe(200)
    expect((await ask('GET', '/debug/vars')).body).toMatchObject({ database: { size: 8 } })
    expect((await ask('DELETE', '/v1/tokens/authentication', token)).status).toBe(200)
    expect((await ask('GET', '/v1/movies', token)).status).toBe(401)
  })

  test('many at once on few connections get their own results', async () => {
    const { token } = await server.newUser()
    const made = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        server.request<{ movie: { id: number } }>('POST', '/v1/movies', { token, body: aMovie(`Many ${i}`) }),
      ),
    )
    expect(made.map(({ status }) => status)).toEqual(made.map(() => 201))
    // More than there are connections, and few enough that none waits too long on a busy machine.
    const readers = Array.from({ length: 30 }, async (_, reader) => {
      for (let i = reader; i < reader + 10; i++) {
        const id = made[i % 30]?.body.movie.id
        const { status, body } = await server.request('GET', `/v1/movies/${id}`, { token })
        expect({ status, body }).toMatchObject({
          status: 200,
          body: { movie: { id, title: `Many ${i % 30}` } },
        })
      }
    })
    await Promise.all(readers)
  })

  test('a sign-out reaches the other instance around the pooler, and no session keeps a statement or a listener', async () => {
    const other = await start()
    const { token } = await server.newUser()
    const read = async () => (await other.request('GET', '/v1/movies', { token })).status
    expect(await read()).toBe(200)
    expect((await server.request('DELETE', '/v1/tokens/authentication', { token })).status).toBe(200)
    await until(async () => (await read()) === 401)
    const kept = await postgres.admin(
      "select count(*)::int as listening from pg_stat_activity where query ilike 'listen%' and usename = 'app'",
    )
    expect(kept[0]?.listening).toBe(2)
    await other.stop()
  })

  test('the server ends a statement that takes too long', async () => {
    const { token } = await server.newUser()
    const waitsForLock = () =>
      postgres.admin("select from pg_stat_activity where usename = 'app' and wait_event_type = 'Lock'")
    const lock = postgres.connect()
    const isLocked = Promise.withResolvers<void>()
    const isRefused = Promise.withResolvers<void>()
    const held = lock.begin(async (tx) => {
      await tx`lock table movies in access exclusive mode`
      isLocked.resolve()
      await isRefused.promise
      await until(async () => (await waitsForLock()).length === 0)
    })
    await isLocked.promise
    const answer = await server.request('POST', '/v1/movies', { token, body: aMovie('Locked out') })
    expect(answer.status).toBe(503)
    isRefused.resolve()
    await held
    await lock.end()
    const [found] = await server.sql`select count(*)::int as movies from movies where title = 'Locked out'`
    expect(found?.movies).toBe(0)
  })

  test('a killed pooler means 503 in time, and recovers', async () => {
    const { token } = await server.newUser()
    const status = async (path: string) => (await server.request('GET', path, { token })).status
    await pgbouncer.kill()
    expect(await status('/v1/movies')).toBe(503)
    await until(async () => (await status('/v1/healthcheck')) === 503)
    await pgbouncer.start()
    for (const path of ['/v1/movies', '/v1/healthcheck']) {
      await until(async () => (await status(path)) === 200)
    }
  })

  test('a database that is away behind the pooler means 503 too', async () => {
    const { token } = await server.newUser()
    const status = async (path: string) => (await server.request('GET', path, { token })).status
    await postgres.stop('immediate')
    expect(await status('/v1/movies')).toBe(503)
    await postgres.start()
    await until(async () => (await status('/v1/movies')) === 200)
    const errors = server.logLines().filter(({ level }) => level === 'error')
    expect(errors).toEqual([])
  })
})

describe.skipIf(!canStartPostgres)('behind an undeclared pooler', () => {
  test('a commit that became a rollback is an error', async () => {
    const postgres = await startPostgres({ fsync: 'off' })
    const log = createLog('error', () => {})
    const { db, close } = connect({ url: postgres.url('redlight') }, { poolMax: 1, log })
    try {
      await db.execute('create table kept (id int)')
      const insert = () => db.transaction((tx) => tx.execute('insert into kept values (1)'))
      await insert()
      // The driver's own statements are unknown now, as on another connection.
      await db.execute('deallocate all')
      const outcome = await insert().then(
        () => 'kept',
        (error: unknown) => error,
      )
      const kept = await postgres.admin('select count(*)::int as rows from kept')
      expect([outcome === 'kept', kept[0]?.rows]).toEqual([kept[0]?.rows === 2, kept[0]?.rows])
      expect(outcome).toMatchObject({ code: 'databaseUnavailable' })
    } finally {
      await close()
      await postgres.dispose()
    }
  })
})
