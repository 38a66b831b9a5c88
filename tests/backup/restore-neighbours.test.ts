import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { emptyDatabase } from '../../src/backup/target'
import type { Db } from '../../src/db/client'
import { applyMigrations, lockMigrations } from '../../src/migrations/migrate'
import { migrations } from '../../src/migrations/migrations'
import { withDb } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import {
  createFilledDatabase,
  createTestDatabase,
  type TestDatabase,
  testDatabaseUrl,
} from '../support/database'

// Objects of other programs in the database that a backup is restored into.
let folder: string
let file: string
let database: TestDatabase
const run = (...args: string[]) => redlight(args, databaseVariables(database.config))
const ask = (query: string) =>
  withDb(database.config, async (db) => [...(await db.execute<{ it: string }>(sql.raw(query)))])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-neighbours-'))
  file = join(folder, 'some.backup')
  database = await createFilledDatabase()
  expect((await run('backup', file)).code).toBe(0)
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

/** All objects in the schema except those of extensions. */
const objects = sql`
  select pg_describe_object(classid, objid, objsubid) as it from pg_depend
  where refclassid = 'pg_namespace'::regclass and refobjid = 'public'::regnamespace and classid <> 'pg_extension'::regclass
  except select pg_describe_object(classid, objid, objsubid) from pg_depend where deptype = 'e'`

test('everything that migrations create is removed, whichever was the last one', async () => {
  const empty = await createTestDatabase()
  await withDb(empty.config, (db) =>
    db.transaction(async (tx) => {
      await lockMigrations(tx)
      await emptyDatabase(tx)
      for (const { folderMillis: upTo } of [...migrations, { folderMillis: Number.POSITIVE_INFINITY }]) {
        await applyMigrations(tx, { upTo })
        expect((await tx.execute(objects)).length).toBeGreaterThan(0)
        // Undone, so that the next migration needs only itself.
        const left = tx.transaction(async (undone) => {
          await emptyDatabase(undone)
          throw [...(await undone.execute(objects))]
        })
        expect({ upTo, left: await left.catch((thrown) => thrown) }).toEqual({ upTo, left: [] })
      }
    }),
  )
  await empty.drop()
})

test('objects of other programs stay unchanged', async () => {
  const before = await withDb(database.config, async (db) => {
    await db.execute(
      sql.raw(`
        create function twice(integer) returns integer language sql immutable return $1 * 2;
        create function search_text(integer) returns integer language sql immutable return 1;
        create table theirs (a integer, b integer generated always as (twice(a)) stored);
        create index theirs_a on theirs (a);
        comment on index theirs_a is 'keep me';
        insert into theirs values (21);
        create view of_theirs as select b from theirs;
        insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 1)`),
    )
    return stateOf(db)
  })
  expect(await run('restore', file, '--replace')).toMatchObject({ code: 0, error: '' })
  expect(await withDb(database.config, stateOf)).toEqual(before)
})

async function stateOf(db: Db) {
  const [row] = await db.execute(sql`
    select (select b from of_theirs) as b, twice(1) as twice, search_text(1) as overloaded,
      'theirs_a'::regclass::oid as index, obj_description('theirs_a'::regclass) as comment,
      (select count(*) from drizzle.__drizzle_migrations where hash = 'theirs')::int as recorded`)
  return row
}

describe('an object that would be lost too is named, and nothing is changed', () => {
  const cases: [make: string, named: string, undo: string][] = [
    ['create view recent as select title from movies', 'view recent depends on', 'drop view recent'],
    [
      'create table loans (movie bigint references movies)',
      'constraint loans_movie_fkey on table loans depends on',
      'drop table loans',
    ],
    [
      'create table notes (t text, w tsvector generated always as (search_words(t)) stored)',
      'column w of table notes depends on function search_words(text)',
      'drop table notes',
    ],
    [
      'alter table users add column crm_id integer',
      'the column crm_id of users was not made by',
      'alter table users drop column crm_id',
    ],
    [
      'create trigger "Mirror it" before update on movies for each row execute function suppress_redundant_updates_trigger()',
      'the trigger "Mirror it" of movies was not made by',
      'drop trigger "Mirror it" on movies',
    ],
  ]
  test.each(cases)('%s', async (make, named, undo) => {
    await ask(make)
    const count = 'select (select count(*) from movies)::text as it, (select max(id) from users) as users'
    const before = await ask(count)
    const { code, error } = await run('restore', file, '--replace')
    expect({ code, error }).toEqual({ code: 1, error: expect.stringContaining(named) })
    expect(error).toContain('restore into an empty database (nothing was changed)')
    expect(error.trim().split('\n')).toHaveLength(1)
    expect(await ask(count)).toEqual(before)
    await ask(undo)
  })

  test('a table of the same name', async () => {
    const theirs = await createTestDatabase()
    await withDb(theirs.config, (db) =>
      db.execute(
        sql.raw(`drop schema if exists drizzle cascade; drop table if exists users cascade;
        create table users (id uuid primary key default gen_random_uuid()); insert into users default values`),
      ),
    )
    const { code, error } = await redlight(['restore', file, '--replace'], databaseVariables(theirs.config))
    expect({ code, error }).toEqual({
      code: 1,
      error: expect.stringContaining('was not made by Redlight: use an empty database'),
    })
    expect(
      await withDb(theirs.config, async (db) => (await db.execute(sql.raw('select id from users'))).length),
    ).toBe(1)
    await theirs.drop()
  })
})

describe.skipIf(testDatabaseUrl === undefined)('while a restore waits', () => {
  /** Restores, and does something before the restore can continue. */
  async function meanwhile(change: string, act: (sql: postgres.Sql) => Promise<unknown>, ...args: string[]) {
    const sql = database.connect()
    let restoring: ReturnType<typeof run> | undefined
    await sql.begin(async (tx) => {
      await tx.unsafe(change)
      restoring = run('restore', file, ...args)
      const waits = () =>
        sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      while ((await waits()).length === 0);
      await act(sql)
    })
    const finished = await restoring
    await sql.end()
    return finished
  }

  test('a new user is not lost', async () => {
    const insert = "insert into users (name, email, password_hash) values ('Late', 'late@example.com', 'x')"
    expect(await meanwhile(insert, async () => {})).toMatchObject({
      code: 1,
      error: expect.stringContaining('the database has users or movies'),
    })
    expect(await ask("delete from users where name = 'Late' returning name as it")).toEqual([{ it: 'Late' }])
  })

  test('a starting service is noticed', async () => {
    if (database.config.kind !== 'postgres') throw new Error('this needs a server')
    const service = postgres(database.config.url, { max: 1, connection: { application_name: 'redlight' } })
    const connect = () => service`select 1`
    expect(await meanwhile('select from movies for share', connect, '--replace')).toMatchObject({
      code: 1,
      error: expect.stringContaining('a running redlight has 1 connections'),
    })
    await service.end()
  })
})
