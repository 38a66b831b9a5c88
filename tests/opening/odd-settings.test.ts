import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { connect } from '../../src/db/client'
import { pins } from '../../src/db/pins'
import { embeddedSocketPath } from '../../src/embedded/embedded'
import { createLog } from '../../src/log'
import { SECRET } from '../support/config'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { runProgram } from '../support/program'
import { aMovie, PASSWORD, startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// Databases with other settings than PostgreSQL's defaults.

setDefaultTimeout(240_000)

const odd: Record<string, string> = {
  datestyle: "'German, DMY'",
  intervalstyle: 'iso_8601',
  timezone: "'Asia/Kathmandu'",
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  search_path: 'pg_catalog',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  plan_cache_mode: 'force_generic_plan',
  gin_fuzzy_search_limit: '1',
}

describe('a database with odd settings', () => {
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createTestDatabase()
    const before = await startTestServer({}, { database })
    const [{ name } = { name: '' }] = await before.sql`select quote_ident(current_database()) as name`
    for (const [setting, value] of Object.entries(odd))
      await before.sql.unsafe(`alter database ${name} set ${setting} = ${value}`)
    await before.stop()
    server = await startTestServer({}, { database })
  })
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  /** Only over HTTP, because the tests' SQL has the odd settings too. */
  async function signUp(email: string) {
    const registered = await server.request('POST', '/v1/users', {
      body: { name: 'W', email, password: PASSWORD },
    })
    const body = { token: await server.mailedToken(email) }
    const activated = await server.request('PUT', '/v1/users/activated', { body })
    return { registered, activated, token: await server.signIn(email) }
  }

  test('times, dates and tokens work as elsewhere', async () => {
    const { registered, activated, token } = await signUp('walker@example.com')
    expect(registered).toMatchObject({
      status: 201,
      body: { user: { created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) } },
    })
    expect(activated.status).toBe(200)
    const release_date = '2016-11-03'
    const made = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token,
      body: aMovie('A back\\slash', { year: 2016, release_date, cast: ['It\\', "O'Hara"] }),
    })
    expect(made).toMatchObject({ status: 201, body: { movie: { release_date, title: 'A back\\slash' } } })
    const favourite = await server.request('PUT', `/v1/users/me/favourites/${made.body.movie.id}`, { token })
    expect(favourite.status).toBe(200)
    for (const path of [
      '/v1/movies?title=back',
      '/v1/movies?release_date=2016-11-03',
      '/v1/users/me/favourites',
    ])
      expect(await server.request('GET', path, { token })).toMatchObject({
        status: 200,
        body: { movies: [{ release_date, cast: ['It\\', "O'Hara"] }], metadata: { total_records: 1 } },
      })
  })

  test('each connection has the settings that the code relies on', async () => {
    const { config } = database
    const target =
      config.kind === 'postgres' ? { url: config.url } : { path: embeddedSocketPath(config.dataDir) }
    const { db, close } = connect(target, { poolMax: 1, log: createLog('error', () => {}) })
    const names = Object.keys(pins).map((name) => sql`${name}`)
    const settings = await db.execute<{ name: string; setting: string }>(
      sql`select name, setting from pg_settings where name in (${sql.join(names, sql`, `)})`,
    )
    await close()
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({ ...pins })
  })
})

describe.skipIf(!canStartPostgres)('a database that was created differently', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: 'off' })
  })
  afterAll(async () => {
    await server?.dispose()
  })

  let count = 0
  /** A database that an administrator created with these statements. */
  async function databaseWith(...statements: string[]) {
    const name = `odd${++count}`
    await server.admin(`create database ${name} owner app`)
    for (const statement of statements) await server.admin(statement.replaceAll('$name', name), name)
    const migrate = async () => {
      const environment = { DATABASE_URL: server.url(name), JWT_SECRET: SECRET, DATABASE_WAIT: '1h' }
      const { exitCode, stderr } = await runProgram(environment, ['migrate'])
      return { exitCode, stderr }
    }
    return { name, migrate }
  }
  const works = { exitCode: 0, stderr: '' }
  const tables =
    "select count(*)::int as tables from pg_tables where schemaname = 'public' and tablename = 'movies'"

  test('works with a schema named like the role, and on any search path', async () => {
    const cases = [
      ['create schema app authorization app'],
      [
        'create schema movies authorization app',
        'alter database $name set search_path to movies, public',
        'alter role app in database $name set search_path to movies',
      ],
      [
        'create schema extensions',
        'create extension unaccent schema extensions',
        'grant usage on schema extensions to app',
      ],
    ]
    for (const statements of cases) {
      const { name, migrate } = await databaseWith(...statements)
      expect(await migrate()).toEqual(works)
      expect(await server.admin(tables, name)).toMatchObject([{ tables: 1 }])
    }
  })

  const inTheWay: [what: string, statements: string[], problem: RegExp, fix: string][] = [
    [
      'no schema public',
      ['drop schema public'],
      /no schema public.*: run CREATE SCHEMA public AUTHORIZATION app$/m,
      'create schema public authorization app',
    ],
    [
      'unaccent in a separate schema',
      ['create schema shared', 'create extension unaccent schema shared'],
      /unaccent is in the schema shared.*: run ALTER EXTENSION unaccent SET SCHEMA public, as its owner$/m,
      'alter extension unaccent set schema public',
    ],
  ]
  test.each(inTheWay)('reports what prevents migrations: %s', async (_, statements, problem, fix) => {
    const { name, migrate } = await databaseWith(...statements)
    expect(await migrate()).toEqual({ exitCode: 1, stderr: expect.stringMatching(problem) })
    await server.admin(fix, name)
    expect(await migrate()).toEqual(works)
  })

  test('says where an earlier version created the table', async () => {
    const { name, migrate } = await databaseWith('create extension unaccent')
    expect(await migrate()).toEqual(works)
    const later = (
      await server.admin('select created_at from drizzle.__drizzle_migrations order by 1', name)
    ).slice(1)
    await server.admin('drop schema public cascade; create schema public authorization app', name)
    await server.admin('create schema app authorization app; create table app.movies (id int)', name)
    await server.admin('alter table app.movies owner to app', name)
    expect(later.length).toBeGreaterThan(1)
    await server.admin('delete from drizzle.__drizzle_migrations where id > 1', name)
    expect(await migrate()).toEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /movies is in the schema app.*: run ALTER TABLE app.movies SET SCHEMA public\n$/,
      ),
    })
  })

  test.each(['serializable', 'repeatable read'])(
    '%s: a write that meets another one gets a 409',
    async (isolation) => {
      const { name } = await databaseWith(
        `alter database $name set default_transaction_isolation to '${isolation}'`,
      )
      const config = { kind: 'postgres', url: server.url(name), poolMax: 4, waitMs: 5000 } as const
      const database = { config, connect: () => server.connect(name), drop: async () => {} }
      const service = await startTestServer({}, { database })
      const { token } = await service.newUser()
      const made = await service.request<{ movie: { id: number } }>('POST', '/v1/movies', {
        token,
        body: aMovie('Met'),
      })
      const path = `/v1/movies/${made.body.movie.id}`
      const isWaiting = async () =>
        (await server.admin('select 1 from pg_locks where not granted', name)).length > 0
      const answer = await service.sql.begin(async (tx) => {
        await tx`update movies set director = 'Another', version = version + 1`
        const patched = service.request('PATCH', path, { token, body: { director: 'Mine' } })
        await until(isWaiting)
        return { patched }
      })
      expect((await answer.patched).status).toBe(409)
      await service.stop()
    },
  )
})
