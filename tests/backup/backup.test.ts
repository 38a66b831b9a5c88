import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getTableName, is, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { encodeHeader, HEADER_BYTES, type Manifest } from '../../src/backup/manifest'
import { readManifest, verifyFile } from '../../src/backup/read'
import { storedTables, tablesLeftOut } from '../../src/backup/tables'
import { takeBackup } from '../../src/backup/write'
import * as schema from '../../src/db/schema'
import { applyMigrations, lockMigrations } from '../../src/migrations/migrate'
import { migrations } from '../../src/migrations/migrations'
import { contentOf, withDb } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import {
  createEmbeddedDatabase,
  createTestDatabase,
  type TestDatabase,
  testDatabaseUrl,
} from '../support/database'
import { failureOf } from '../support/embedded'
import { startLoad } from '../support/load'
import { aMovie, JWT_SECRET, startTestServer, type TestServer, type TestUser } from '../support/server'

let folder: string
let source: TestServer
let alice: TestUser
let bob: TestUser
/** Taken beside the source, which goes on running. */
let file: string
let content: Record<string, unknown>
const databases: TestDatabase[] = []
// Only where it may be done: as root, and not in every container.
const canMount =
  process.getuid?.() === 0 && (await Bun.$`unshare --mount true`.quiet().nothrow()).exitCode === 0

const run = (database: TestDatabase, ...args: string[]) => redlight(args, databaseVariables(database.config))
async function newDatabase(create = createTestDatabase): Promise<TestDatabase> {
  const database = await create()
  databases.push(database)
  return database
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-backup-'))
  source = await startTestServer({}, { keepFilms: true })
  await fill(source)
  file = join(folder, 'source.backup')
  const taken = await run(source.database, 'backup', file)
  expect(taken).toMatchObject({ code: 0, error: '' })
  content = await contentOf(source.sql)
})
afterAll(async () => {
  await source.stop()
  for (const database of databases) await database.drop()
  await rm(folder, { recursive: true })
})

/** A little of everything that can go wrong on the way. */
async function fill({ request, newUser, sql }: TestServer) {
  alice = await newUser({ name: 'Alice "the\n\t\\ first" 🎬', username: 'alice1' })
  bob = await newUser({ name: 'Bob', permissions: ['movies:read'] })
  await newUser({ name: 'Carol', activated: false })
  const add = async (title: string, more = {}) => {
    const answer = await request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie(title, more),
    })
    return answer.body.movie.id
  }
  const odd = await add('Zoë’s \u2028 "Ünïcode" \\ 電影', {
    genres: ['a"b', 'c}d', 'NULL'],
    cast: ['Dwayne, "The Rock"', 'É'],
    release_date: '2001-12-31',
    synopsis: 'Two lines\nof text,\tand a {brace}.',
  })
  await request('PATCH', `/v1/movies/${odd}`, { token: alice.token, body: { director: 'Née' } })
  for (const id of [odd, 3, 1, 2]) await request('PUT', `/v1/users/me/favourites/${id}`, { token: bob.token })
  // The highest ids are gone, and are not to be given again.
  await request('DELETE', `/v1/movies/${await add('Gone')}`, { token: alice.token })
  await sql`update movies set created_at = '2001-02-03T04:05:06.123457Z' where id = ${odd}`
  await sql`insert into mails (user_id, kind, due_at) values (${bob.id}, 'password-reset', now() + interval '1 day')`
  const due = () => sql`select 1 from mails where sent_at is null and due_at <= now()`
  while ((await due()).length > 0) await Bun.sleep(20)
}

describe('a backup that is restored', () => {
  let target: TestServer
  beforeAll(async () => {
    const database = await newDatabase()
    expect(await run(database, 'restore', file, '--keep-sessions')).toMatchObject({ code: 0, error: '' })
    target = await startTestServer({}, { database, keepFilms: database.config.kind === 'embedded' })
  })
  afterAll(() => target.stop())

  test('has every row as it was, and counts on where it was', async () => {
    expect(await contentOf(target.sql)).toEqual(content)
    const added = await target.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie('Next'),
    })
    expect(added.body.movie.id).toBe(Number(content['next id of movies']))
  })

  test('answers as the first one did', async () => {
    const paths = ['/v1/movies?title=zoe', '/v1/movies?sort=-year&page_size=50', '/v1/users/me']
    for (const path of paths) {
      const { status, body } = await target.request('GET', path, { token: alice.token })
      expect({ path, status }).toEqual({ path, status: 200 })
      if (!path.includes('sort'))
        expect(body).toEqual((await source.request('GET', path, { token: alice.token })).body)
    }
    const token = await target.signIn(bob.email)
    const favourites = await target.request('GET', '/v1/users/me/favourites', { token })
    expect(favourites.body).toEqual(
      (await source.request('GET', '/v1/users/me/favourites', { token: bob.token })).body,
    )
  })

  test('without --keep-sessions, everyone signs in again', async () => {
    const database = await newDatabase()
    expect((await run(database, 'restore', file)).code).toBe(0)
    const other = await startTestServer({}, { database, keepFilms: database.config.kind === 'embedded' })
    expect((await other.request('GET', '/v1/users/me', { token: alice.token })).status).toBe(401)
    expect(
      (await other.request('GET', '/v1/users/me', { token: await other.signIn(alice.email) })).status,
    ).toBe(200)
    await other.stop()
  })
})

test('every table is in a backup, or on the list of those left out', () => {
  const tables = Object.values(schema).flatMap((value) => (is(value, PgTable) ? [getTableName(value)] : []))
  expect([...storedTables.map(({ name }) => name), ...tablesLeftOut].sort()).toEqual(tables.sort())
})

test('a backup is for its owner alone, and holds no secret but the hashes of passwords', async () => {
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const bytes = await Bun.file(file).bytes()
  const text = Buffer.from(await Bun.zstdDecompress(bytes)).toString() + Buffer.from(bytes).toString('latin1')
  expect(text).toContain('$argon2id$')
  const [token] = await source.sql`select encode(hash, 'hex') as hash from tokens limit 1`
  for (const secret of [JWT_SECRET, alice.password, token?.hash, '127.0.0.1'])
    expect(text).not.toContain(secret)
})

describe('from one database to the other', () => {
  test.skipIf(testDatabaseUrl === undefined)('and back, every row is as it was', async () => {
    const embedded = await newDatabase(createEmbeddedDatabase)
    const back = await newDatabase()
    const again = join(folder, 'again.backup')
    expect((await run(embedded, 'restore', file, '--keep-sessions')).code).toBe(0)
    expect((await run(embedded, 'backup', again, '--verify')).code).toBe(0)
    expect((await run(back, 'restore', again, '--keep-sessions')).code).toBe(0)
    const connection = back.connect()
    expect(await contentOf(connection)).toEqual(content)
    await connection.end()
    expect((await readManifest(again)).tables).toEqual((await readManifest(file)).tables)
  })

  test('a catalogue without the initial films is given none where it is restored', async () => {
    const database = await newDatabase(createEmbeddedDatabase)
    await run(database, 'restore', file)
    await withDb(database.config, (db) =>
      db.execute(sql.raw('truncate seeded_movies; delete from movies where id in (4, 5, 6)')),
    )
    const server = await startTestServer({}, { database, keepFilms: true })
    expect((await contentOf(server.sql)).counted).toEqual(Number(content.counted) - 3)
    await server.stop()
  })
})

describe('a backup while others write', () => {
  test('is of one moment', async () => {
    const load = startLoad(source.url, alice.token)
    const busy = join(folder, 'busy.backup')
    const taken = await run(source.database, 'backup', '--verify', busy)
    await load.stop()
    expect(taken).toMatchObject({ code: 0, error: '' })
    expect(load.wrong).toEqual([])
    expect(await source.sql`select * from pg_cursors where name like 'redlight%'`).toBeEmpty()
    const films = (await readManifest(busy)).tables.find(({ name }) => name === 'movies')
    expect(films?.rows).toBeGreaterThanOrEqual(Number(content.counted))
  })
})

describe('a database that is not empty', () => {
  test('is refused, save with the initial films alone or with --replace', async () => {
    const database = await newDatabase()
    expect((await run(database, 'seed')).code).toBe(0)
    expect(await run(database, 'restore', file)).toMatchObject({ code: 0, error: '' })
    expect(await run(database, 'restore', file)).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^redlight restore: the database holds users or films: .*--replace.*\n$/),
    })
    expect(await run(database, 'restore', file, '--replace', '--keep-sessions')).toMatchObject({ code: 0 })
    const connection = testDatabaseUrl === undefined ? undefined : database.connect()
    if (connection !== undefined) expect(await contentOf(connection)).toEqual(content)
    await connection?.end()
  })

  test('or that a service runs on is left alone', async () => {
    const before = await contentOf(source.sql)
    const { code, error } = await run(source.database, 'restore', file, '--replace')
    expect(code).toBe(1)
    expect(error).toMatch(/^redlight restore: .*(stop it first|is in use by another redlight process).*\n$/)
    expect(await contentOf(source.sql)).toEqual(before)
  })
})

describe('a backup of an older schema', () => {
  test('is brought to the newest one', async () => {
    // The last migration before the counts of films were kept.
    const upTo = migrations[3]?.folderMillis
    const old = await newDatabase()
    const path = join(folder, 'old.backup')
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
    const server = await startTestServer({}, { database, keepFilms: database.config.kind === 'embedded' })
    const user = await server.newUser()
    const films = await server.request('GET', '/v1/movies?created_by=1', { token: user.token })
    expect(films.body).toMatchObject({
      movies: [{ title: 'Old' }, { title: 'Older' }],
      metadata: { total_records: 2 },
    })
    await server.stop()
  })
})

describe('a file that is not a whole backup', () => {
  const restored = (path: string) => redlight(['restore', path], { DATA_DIR: join(folder, 'untouched') })
  async function refused(path: string, words: RegExp) {
    const { code, error } = await restored(path)
    expect({ code, error }).toEqual({ code: 1, error: expect.stringMatching(words) })
    expect(error.trim().split('\n')).toHaveLength(1)
    expect(existsSync(join(folder, 'untouched'))).toBe(false)
  }
  /** The same without a process of its own. */
  async function refusedHere(path: string, words: RegExp) {
    const error = await failureOf(readManifest(path).then((manifest) => verifyFile(path, manifest, () => {})))
    expect({ name: error.name, message: error.message }).toEqual({
      name: 'OperatorError',
      message: expect.stringMatching(words),
    })
  }
  async function spoilt(spoil: (bytes: Buffer) => Buffer): Promise<string> {
    const path = join(folder, `spoilt-${crypto.randomUUID()}`)
    await Bun.write(path, spoil(Buffer.from(await Bun.file(file).bytes())))
    return path
  }

  test('is refused in one line, and nothing is opened', async () => {
    await refused(join(folder, 'nowhere'), /ENOENT.*no such file/)
    await refused(folder, /EISDIR.*name a file/)
    await refused(await spoilt(() => Buffer.from('')), /is no backup of Redlight/)
    await refused(join(import.meta.dir, 'backup.test.ts'), /is no backup of Redlight/)
    const { size } = statSync(file)
    for (const length of [HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 10, size - 2000, size - 1])
      await refusedHere(await spoilt((bytes) => bytes.subarray(0, length)), /is damaged or incomplete/)
    await refused(await spoilt((bytes) => bytes.subarray(0, -100)), /is damaged or incomplete/)
    await refused(await spoilt((bytes) => Buffer.concat([bytes, bytes.subarray(HEADER_BYTES)])), /damaged/)
  })

  test('is refused whichever bit is wrong', async () => {
    const { size } = statSync(file)
    const places = [...Array(60).keys()].map((i) => Math.floor((size - 1) * (i / 59)))
    for (const place of [...places, 3, 9, 60, 5000, HEADER_BYTES, HEADER_BYTES + 4]) {
      const flip = (bytes: Buffer) => {
        bytes[place] = (bytes[place] ?? 0) ^ 4
        return bytes
      }
      await refusedHere(await spoilt(flip), /is damaged or incomplete|is no backup of Redlight/)
    }
  })

  test('is refused when it is of a newer version', async () => {
    const { schema: newest, ...manifest } = await readManifest(file)
    for (const newer of [{ schema: newest + 1 }, { schema: newest, format: 2 }]) {
      const header = encodeHeader({ ...manifest, redlight: '9.0.0', ...newer } as Manifest)
      await refused(
        await spoilt((bytes) => Buffer.concat([header, bytes.subarray(HEADER_BYTES)])),
        /was written by a newer Redlight \(9\.0\.0\)/,
      )
    }
  })

  test('is refused when its rows break a rule, and the database stays as it was', async () => {
    const manifest = await readManifest(file)
    const tables = manifest.tables.map((table) =>
      table.name === 'movies'
        ? { ...table, columns: [...table.columns, 'nonsense"; drop table users; --'] }
        : table,
    )
    const path = await spoilt((bytes) =>
      Buffer.concat([encodeHeader({ ...manifest, tables }), bytes.subarray(HEADER_BYTES)]),
    )
    const database = await newDatabase()
    expect((await run(database, 'seed')).code).toBe(0)
    expect(await run(database, 'restore', path)).toMatchObject({
      code: 1,
      error: expect.stringContaining('is damaged or incomplete (the columns of movies)'),
    })
    expect((await run(database, 'movies', 'list', '--title', 'moana')).out).toContain('1 movie\n')
  })
})

describe('a backup that cannot be written', () => {
  test('says why in one line, and leaves nothing behind', async () => {
    const place = join(folder, 'place')
    await mkdir(place)
    const cases: [args: string[], code: number, words: RegExp][] = [
      [['backup'], 2, /missing required argument "file"/],
      [['backup', 'a', 'b'], 2, /unexpected argument "b"/],
      [['backup', '--keep', '0', place], 2, /--keep takes a number/],
      [['backup', '--keep', '3'], 2, /missing required argument "file"/],
      [['backup', '--check', '--verify', file], 2, /"--check" cannot be used with option "--verify"/],
      [['backup', '--nonsense', file], 2, /nonsense/],
      [['restore'], 2, /missing required argument "file"/],
      [['backup', join(place, 'nowhere', 'x')], 1, /ENOENT/],
      [['backup', '--keep', '3', join(place, 'nowhere')], 1, /ENOENT/],
      [['backup', '--keep', '3', file], 1, /is no folder/],
      [['backup', '/proc/x'], 1, /\(E(NOENT|ACCES|PERM|ROFS)\)/],
    ]
    for (const [args, code, words] of cases) {
      const finished = await run(source.database, ...args)
      expect({ args, code: finished.code, error: finished.error }).toEqual({
        args,
        code,
        error: expect.stringMatching(words),
      })
      expect(finished.error.trim().split('\n')).toHaveLength(1)
    }
    expect(await readdir(place)).toEqual([])
  })

  test.skipIf(!canMount)('for want of room keeps the one that is there', async () => {
    const place = join(folder, 'small')
    await mkdir(place)
    await Bun.$`mount -t tmpfs -o size=16k none ${place}`
    try {
      await Bun.write(join(place, 'full.backup'), 'the one of yesterday')
      const { code, error } = await run(source.database, 'backup', '--force', join(place, 'full.backup'))
      expect({ code, error }).toEqual({
        code: 1,
        error: expect.stringContaining('(ENOSPC): the disk is full'),
      })
      expect(await Bun.file(join(place, 'full.backup')).text()).toBe('the one of yesterday')
      expect(await readdir(place)).toEqual(['full.backup'])
    } finally {
      await Bun.$`umount ${place}`
    }
  })
})

test('the newest backups are kept, and nothing else is touched', async () => {
  const place = join(folder, 'kept')
  await mkdir(place)
  const old = ['redlight-20200101T000000Z.backup', 'redlight-20200102T000000Z.backup']
  for (const name of [...old, 'mine.backup']) await copyFile(file, join(place, name))
  const taken = await run(source.database, 'backup', '--verify', '--keep', '2', place)
  expect(taken).toMatchObject({ code: 0, out: expect.stringMatching(/; verified\.\n/) })
  const [mine, first, second, ...more] = (await readdir(place)).sort()
  expect([mine, first, more]).toEqual(['mine.backup', old[1], []])
  expect(second).toMatch(/^redlight-2\d{7}T\d{6}Z\.backup$/)
  expect(await redlight(['backup', '--check', join(place, second ?? '')], {})).toMatchObject({ code: 0 })
})
