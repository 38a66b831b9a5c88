import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { getTableName, is, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { readManifest } from '../../src/backup/read'
import { storedTables, tablesLeftOut } from '../../src/backup/tables'
import { takeBackup } from '../../src/backup/write'
import * as schema from '../../src/db/schema'
import { applyMigrations, lockMigrations } from '../../src/migrations/migrate'
import { migrations } from '../../src/migrations/migrations'
import { backedUpService, run } from '../support/backed-up'
import { contentOf, withDb } from '../support/backup'
import { createEmbeddedDatabase, testDatabaseUrl } from '../support/database'
import { areFaultsWanted } from '../support/faults'
import { startLoad } from '../support/load'
import { aMovie, JWT_SECRET, startTestServer, type TestServer } from '../support/server'

// Each start of the program takes seconds on a busy machine, and a test makes several.
setDefaultTimeout(300_000)

const { folder, source, alice, bob, key, file, content, newDatabase } = backedUpService()

describe('a restored backup', () => {
  let target: TestServer
  let restored: Record<string, unknown>
  beforeAll(async () => {
    const database = await newDatabase()
    expect(await run(database, 'restore', file(), '--keep-sessions')).toMatchObject({ code: 0, error: '' })
    target = await startTestServer({}, { database, keepMovies: database.config.kind === 'embedded' })
    // Before any request: the use of a key is recorded a little later.
    restored = await contentOf(target.sql)
  })
  afterAll(() => target.stop())

  test('gives the same responses as the original', async () => {
    const paths = ['/v1/movies?title=zoe', '/v1/movies?sort=-year&page_size=50', '/v1/users/me']
    for (const path of paths) {
      const { status, body } = await target.request('GET', path, { token: alice().token })
      expect({ path, status }).toEqual({ path, status: 200 })
      if (!path.includes('sort'))
        expect(body).toEqual((await source().request('GET', path, { token: alice().token })).body)
    }
    expect((await target.request('GET', '/v1/movies/1', { token: key() })).status).toBe(200)
    const token = await target.signIn(bob().email)
    const favourites = await target.request('GET', '/v1/users/me/favourites', { token })
    expect(favourites.body).toEqual(
      (await source().request('GET', '/v1/users/me/favourites', { token: bob().token })).body,
    )
  })

  test('has every row unchanged, and its sequences continue', async () => {
    expect(restored).toEqual(content())
    const added = await target.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice().token,
      body: aMovie('Next'),
    })
    expect(added.body.movie.id).toBe(Number(content()['next id of movies']))
    const trail =
      await target.sql`select id, action, actor_id, subject_kind, detail from audit_events order by id`
    const { taken_at } = await readManifest(file())
    expect([...trail]).toEqual([
      expect.objectContaining({ action: 'movie.deleted', actor_id: String(alice().id) }),
      expect.objectContaining({ action: 'key.created' }),
      {
        id: '3',
        action: 'restore',
        actor_id: null,
        subject_kind: 'catalogue',
        detail: { taken_at, by: expect.stringMatching(/./) },
      },
    ])
  })

  test('without --keep-sessions, everyone signs in again, and makes new keys', async () => {
    const database = await newDatabase()
    const { code, out } = await run(database, 'restore', file())
    expect(code).toBe(0)
    expect(out).toEndWith('\nDropped 1 API key: their owners have to make new ones.\n')
    const other = await startTestServer({}, { database, keepMovies: database.config.kind === 'embedded' })
    expect((await other.request('GET', '/v1/users/me', { token: alice().token })).status).toBe(401)
    expect(
      (await other.request('GET', '/v1/users/me', { token: await other.signIn(alice().email) })).status,
    ).toBe(200)
    expect((await other.request('GET', '/v1/movies/1', { token: key() })).status).toBe(401)
    expect(await other.sql`select 1 from keys`).toBeEmpty()
    await other.stop()
  })
})

test('every table is in a backup or on the list of omitted ones', () => {
  const tables = Object.values(schema).flatMap((value) => (is(value, PgTable) ? [getTableName(value)] : []))
  expect([...storedTables.map(({ name }) => name), ...tablesLeftOut].sort()).toEqual(tables.sort())
})

test('a backup is for its owner alone, and holds no secret but the hashes of passwords and keys', async () => {
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  const bytes = await Bun.file(file()).bytes()
  const text = Buffer.from(await Bun.zstdDecompress(bytes)).toString() + Buffer.from(bytes).toString('latin1')
  expect(text).toContain('$argon2id$')
  const [token] = await source().sql`select encode(hash, 'hex') as hash from tokens limit 1`
  for (const secret of [JWT_SECRET, alice().password, key().slice(8), token?.hash, '127.0.0.1'])
    expect(text).not.toContain(secret)
})

describe('from one kind of database to the other', () => {
  test.skipIf(testDatabaseUrl === undefined)('and back, every row is unchanged', async () => {
    const embedded = await newDatabase(createEmbeddedDatabase)
    const back = await newDatabase()
    const again = join(folder(), 'again.backup')
    expect((await run(embedded, 'restore', file(), '--keep-sessions')).code).toBe(0)
    expect((await run(embedded, 'backup', again, '--verify')).code).toBe(0)
    expect((await run(back, 'restore', again, '--keep-sessions')).code).toBe(0)
    const connection = back.connect()
    expect(await contentOf(connection)).toEqual(content())
    await connection.end()
    const tablesOf = async (path: string) =>
      (await readManifest(path)).tables.filter(({ name }) => name !== 'audit_events')
    expect(await tablesOf(again)).toEqual(await tablesOf(file()))
  })

  test.skipIf(!areFaultsWanted)(
    'a restored catalogue without the initial movies does not get them',
    async () => {
      const database = await newDatabase(createEmbeddedDatabase)
      await run(database, 'restore', file())
      await withDb(database.config, (db) =>
        db.execute(sql.raw('truncate seeded_movies; delete from movies where id in (4, 5, 6)')),
      )
      const server = await startTestServer({}, { database, keepMovies: true })
      expect((await contentOf(server.sql)).counted).toEqual(Number(content().counted) - 3)
      await server.stop()
    },
  )
})

describe.skipIf(!areFaultsWanted)('a backup while others write', () => {
  test('shows one moment', async () => {
    const load = startLoad(source().url, alice().token)
    const busy = join(folder(), 'busy.backup')
    const taken = await run(source().database, 'backup', '--verify', busy)
    await load.stop()
    expect(taken).toMatchObject({ code: 0, error: '' })
    expect(load.wrong).toEqual([])
    expect(await source().sql`select * from pg_cursors where name like 'redlight%'`).toBeEmpty()
    const movies = (await readManifest(busy)).tables.find(({ name }) => name === 'movies')
    expect(movies?.rows).toBeGreaterThanOrEqual(Number(content().counted))
  })
})

describe.skipIf(!areFaultsWanted)('a database that is not empty', () => {
  test('is refused, unless it has only the initial movies, or with --replace', async () => {
    const database = await newDatabase()
    expect((await run(database, 'seed')).code).toBe(0)
    expect(await run(database, 'restore', file())).toMatchObject({ code: 0, error: '' })
    expect(await run(database, 'restore', file())).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^redlight restore: the database has users or movies: .*--replace.*\n$/),
    })
    expect(await run(database, 'restore', file(), '--replace', '--keep-sessions')).toMatchObject({ code: 0 })
    const connection = testDatabaseUrl === undefined ? undefined : database.connect()
    if (connection !== undefined) expect(await contentOf(connection)).toEqual(content())
    await connection?.end()
  })

  test('or is in use by a service is not changed', async () => {
    const before = await contentOf(source().sql)
    const { code, error } = await run(source().database, 'restore', file(), '--replace')
    expect(code).toBe(1)
    expect(error).toMatch(/^redlight restore: .*(stop "redlight serve" first|is in use by redlight).*\n$/)
    expect(await contentOf(source().sql)).toEqual(before)
  })
})

describe.skipIf(!areFaultsWanted)('a backup of an older schema', () => {
  test('is migrated to the newest one', async () => {
    // The last migration before the counts of movies.
    const upTo = migrations[3]?.folderMillis
    const old = await newDatabase()
    const path = join(folder(), 'old.backup')
    await withDb(old.config, async (db) => {
      await db.transaction(async (tx) => {
        await lockMigrations(tx)
        await applyMigrations(tx, { upTo })
        await tx.execute(
          sql`insert into movies (title, year, runtime, genres) values ('Old', 1990, 90, '{drama}'), ('Older', 1980, 80, '{drama}')`,
        )
      })
      await takeBackup({ db, kind: old.config.kind, path, redlight: '0.0.9', onRows: () => {} })
    })
    expect(await run(old, 'backup', '--check', path)).toMatchObject({ code: 0, error: '' })
    const database = await newDatabase()
    expect(await run(database, 'restore', path)).toMatchObject({ code: 0, error: '' })
    const server = await startTestServer({}, { database, keepMovies: database.config.kind === 'embedded' })
    const user = await server.newUser()
    const movies = await server.request('GET', '/v1/movies?created_by=1', { token: user.token })
    expect(movies.body).toMatchObject({
      movies: [{ title: 'Old' }, { title: 'Older' }],
      metadata: { total_records: 2 },
    })
    await server.stop()
  })
})
