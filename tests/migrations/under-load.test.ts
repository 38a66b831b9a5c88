import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { connect, type Database, workTimeouts } from '../../src/db/client'
import { createLog } from '../../src/log'
import { isConcurrent, withoutConcurrently } from '../../src/migrations/indexes'
import { type Migration, migrate } from '../../src/migrations/migrate'
import { openDatabase } from '../../src/opening/open'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { failureOf } from '../support/embedded'
import { until } from '../support/until'

// Migrations while others use the database.
setDefaultTimeout(240_000)

const log = createLog('error', () => {})
const migration = (folderMillis: number, ...sql: string[]): Migration => ({ sql, hash: 'test', folderMillis })
const COLUMN = migration(1, 'alter table movies add column colour text')
const INDEX = migration(2, 'create index concurrently if not exists movies_runtime_test on movies (runtime)')
const briefly = { lockMs: 100, pauseMs: 200 }

describe.skipIf(testDatabaseUrl === undefined)('on a busy server', () => {
  let database: TestDatabase
  let migrating: Database
  let others: Sql
  const open = () => {
    if (database.config.kind !== 'postgres') throw new Error('this needs a server')
    return connect({ url: database.config.url }, { poolMax: 1, log, timeouts: workTimeouts })
  }
  beforeEach(async () => {
    database = await createTestDatabase()
    migrating = open()
    await migrate(migrating.db)
    others = database.connect()
  })
  afterEach(async () => {
    await Promise.all([migrating.close(), others.end()])
    await database.drop()
  })

  /** A transaction that has read the table and stays open until it is released. */
  async function openReader() {
    const ended = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const work = others.begin('isolation level repeatable read', async (tx) => {
      await tx`select count(*) from movies`
      begun.resolve()
      await ended.promise
    })
    await begun.promise
    return async () => {
      ended.resolve()
      await work
    }
  }
  const indexes = () =>
    others`select indisvalid as "isValid" from pg_index where indexrelid = to_regclass('movies_runtime_test')`
  async function untilIndexIsBegun() {
    await until(async () => (await indexes()).length > 0)
  }

  test('a migration that finds its table locked lets others pass, and retries', async () => {
    const endReader = await openReader()
    let blocked = 0
    const migrated = migrate(migrating.db, { migrations: [COLUMN], ...briefly, onBlocked: () => blocked++ })
    let reads = 0
    while (blocked < 3) {
      // Behind a waiting migration, this would wait for the reader.
      await others.begin(async (tx) => {
        await tx`set local statement_timeout = 2000`
        await tx`select count(*) from movies`
      })
      reads++
    }
    expect(reads).toBeGreaterThan(3)
    await endReader()
    expect(await migrated).toBe(1)
    expect(await others`select colour from movies`).toBeEmpty()
  })

  test('one that never finds it free reports who holds it, and has changed nothing', async () => {
    const endReader = await openReader()
    const error = await failureOf(migrate(migrating.db, { migrations: [COLUMN], ...briefly, timeoutMs: 300 }))
    expect(error.message).toMatch(/^a migration keeps finding its tables locked.* \(process \d+ for \d+ s/)
    await endReader()
    expect(await migrate(migrating.db, { migrations: [COLUMN], ...briefly })).toBe(1)
  })

  test('an index is built during writes, and an interrupted build is repeated', async () => {
    const endReader = await openReader()
    const failed = failureOf(migrate(migrating.db, { migrations: [COLUMN, INDEX].slice(1), ...briefly }))
    await untilIndexIsBegun()
    await others`insert into movies (title, year, runtime, genres) values ('a', 2000, 90, '{drama}')`
    await others`select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and query like 'create index concurrently%'`
    await failed
    expect(await indexes()).toMatchObject([{ isValid: false }])
    await endReader()

    const again = open()
    expect(await migrate(again.db, { migrations: [COLUMN, INDEX], ...briefly })).toBe(2)
    expect(await indexes()).toMatchObject([{ isValid: true }])
    expect(await migrate(again.db, { migrations: [COLUMN, INDEX] })).toBe(0)
    const [limits] = await again.db.execute(`select current_setting('lock_timeout') as lock`)
    expect(limits).toEqual({ lock: '1min' })
    await again.close()
  })

  test('an instance that waits for its turn does not delay the index of the other', async () => {
    const second = open()
    const endReader = await openReader()
    const both = [migrating, second].map(({ db }) => migrate(db, { migrations: [INDEX], ...briefly }))
    await untilIndexIsBegun()
    const asks = () => others`select from pg_stat_activity
      where datname = current_database() and query like '%pg_try_advisory_lock%'`
    await until(async () => (await asks()).length > 0)
    await endReader()
    expect((await Promise.all(both)).sort()).toEqual([0, 1])
    expect(await indexes()).toMatchObject([{ isValid: true }])
    await second.close()
  })
})

test('the embedded database can build an index concurrently', async () => {
  const database = await createTestDatabase()
  const opened = await openDatabase(database.config, log)
  await opened.withoutTimeouts((db) => migrate(db))
  expect(await opened.withoutTimeouts((db) => migrate(db, { migrations: [COLUMN, INDEX] }))).toBe(2)
  expect(await opened.withoutTimeouts((db) => migrate(db, { migrations: [COLUMN, INDEX] }))).toBe(0)
  await opened.close()
  await database.drop()
})

describe('a migration that builds indexes', () => {
  const statement = INDEX.sql.join()
  const refused: [string, string[]][] = [
    ['beside something else', [statement, 'alter table movies add column x int']],
    ['that would fail when run again', ['create index concurrently a on movies (year)']],
    ['of which one is dropped', ['drop index concurrently a']],
  ]
  test.each(refused)('is refused %s', (_, sql) => {
    expect(() => isConcurrent(migration(1, ...sql))).toThrow('a migration with CONCURRENTLY may only hold')
  })

  test('is recognized, and builds them plainly if it is alone', () => {
    expect([isConcurrent(INDEX), isConcurrent(COLUMN)]).toEqual([true, false])
    expect(withoutConcurrently(statement)).toBe(
      'create index if not exists movies_runtime_test on movies (runtime)',
    )
  })

  test('is one of the two kinds, for each of ours', async () => {
    const files = (await readdir('drizzle')).filter((name) => name.endsWith('.sql'))
    for (const name of files) {
      const text = await Bun.file(join('drizzle', name)).text()
      expect(() => isConcurrent({ sql: text.split('--> statement-breakpoint') })).not.toThrow()
    }
  })
})
