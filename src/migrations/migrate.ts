import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { isLockTimeout } from '../db/errors'
import { pause } from '../waiting'
import { buildIndexes, isConcurrent, withoutConcurrently } from './indexes'
import { migrations as ours } from './migrations'
import { requireSurroundings } from './surroundings'

/** Any number works, as long as all instances use the same. */
const MIGRATION_LOCK = 7_303_014
const TURN_EVERY_MS = 200
const TURN_TIMEOUT_MS = 3_600_000

export type Migration = {
  readonly sql: readonly string[]
  readonly hash: string
  readonly folderMillis: number
}
export type MigrateOptions = {
  readonly migrations: readonly Migration[]
  /** Longest wait for a lock: others who need the table queue up behind. */
  readonly lockMs: number
  readonly pauseMs: number
  /** How long to retry. */
  readonly timeoutMs: number
  readonly onProgress: (done: number, total: number) => void
  /** A lock was not free; it will be retried. */
  readonly onBlocked: () => void
}
const usual: MigrateOptions = {
  migrations: ours,
  lockMs: 1000,
  pauseMs: 2000,
  timeoutMs: 300_000,
  onProgress: () => {},
  onBlocked: () => {},
}

/**
 * Brings the schema up to date and returns the number of migrations applied. Instances that start together
 * take turns: drizzle's own migrate() takes no lock. The record of applied migrations is drizzle's. The lock
 * belongs to the connection, so there must be only one.
 */
export async function migrate(db: Db, options: Partial<MigrateOptions> = {}): Promise<number> {
  const settings = { ...usual, ...options }
  // Nearly every start finds nothing to do, and can see that without waiting for its turn.
  if ((await pendingOf(db, settings.migrations)).length === 0) return 0
  return inTurn(db, async () => {
    await requireSurroundings(db)
    if ((await appliedMigrations(db)).length === 0) return await makeAtOnce(db, settings)
    const pending = await pendingOf(db, settings.migrations)
    for (const [index, migration] of pending.entries()) {
      settings.onProgress(index, pending.length)
      if (isConcurrent(migration)) await buildIndexes(db, migration, () => record(db, migration))
      else await withoutQueueing(db, settings, (tx) => apply(tx, migration))
    }
    return pending.length
  })
}

/** Runs work on the schema while no other instance does. */
export async function inTurn<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await takeTurn(db)
  try {
    return await work()
  } finally {
    await db.execute(sql`select pg_advisory_unlock(${MIGRATION_LOCK})`)
  }
}

/** A new database gets everything or nothing; nobody waits for its tables yet. */
async function makeAtOnce(db: Db, { migrations, onProgress }: MigrateOptions): Promise<number> {
  await db.transaction(async (tx) => {
    await tx.execute(sql.raw(`set local statement_timeout = 0`))
    await createRecord(tx)
    for (const [index, migration] of migrations.entries()) {
      onProgress(index, migrations.length)
      await apply(tx, migration)
    }
  })
  return migrations.length
}

async function pendingOf(db: Db | Tx, migrations: readonly Migration[]): Promise<Migration[]> {
  const known = new Set(await appliedMigrations(db))
  return migrations.filter(({ folderMillis }) => !known.has(folderMillis))
}

/** Polled: waiting for the lock would hold a snapshot, which a concurrent index build waits for. */
async function takeTurn(db: Db) {
  const giveUpAt = performance.now() + TURN_TIMEOUT_MS
  for (;;) {
    const [turn] = await db.execute<{ isOurs: boolean }>(
      sql`select pg_try_advisory_lock(${MIGRATION_LOCK}) as "isOurs"`,
    )
    if (turn?.isOurs) return
    if (performance.now() > giveUpAt)
      throw new Error(
        'another process has been migrating for an hour: check what it is waiting for, or stop it',
      )
    await pause(TURN_EVERY_MS)
  }
}

/** All or nothing; a locked table is given up at once, or everybody would queue up behind. */
export async function withoutQueueing(
  db: Db,
  options: Partial<MigrateOptions>,
  work: (tx: Tx) => Promise<void>,
): Promise<void> {
  const settings = { ...usual, ...options }
  const giveUpAt = performance.now() + settings.timeoutMs
  for (;;) {
    try {
      return await db.transaction(async (tx) => {
        await tx.execute(
          sql.raw(`set local lock_timeout = ${settings.lockMs}; set local statement_timeout = 0`),
        )
        await work(tx)
      })
    } catch (error) {
      if (!isLockTimeout(error)) throw error
      if (performance.now() > giveUpAt) throw new Error(await blockedProblem(db))
      settings.onBlocked()
      await pause(settings.pauseMs)
    }
  }
}

async function apply(tx: Tx, migration: Migration) {
  for (const statement of migration.sql) await tx.execute(sql.raw(withoutConcurrently(statement)))
  await record(tx, migration)
}

async function blockedProblem(db: Db): Promise<string> {
  const oldest = await db.execute<{ pid: number; seconds: number }>(
    sql`select pid, extract(epoch from now() - xact_start)::int as seconds from pg_stat_activity
        where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
        order by xact_start limit 3`,
  )
  const held = oldest.map(({ pid, seconds }) => `process ${pid} for ${seconds} s`).join(', ')
  return `a migration keeps finding its tables locked: wait for the oldest transactions to end, or end them with pg_terminate_backend (${held || 'none is left'})`
}

async function createRecord(db: Db | Tx) {
  await db.execute(sql`create schema if not exists drizzle`)
  await db.execute(
    sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
  )
}

async function record(db: Db | Tx, { hash, folderMillis }: Migration) {
  await db.execute(
    sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`,
  )
}

/** For callers with a transaction of their own: nobody else migrates until it ends. */
export async function lockMigrations(tx: Tx): Promise<void> {
  await tx.execute(sql.raw(`set local lock_timeout = '60s'; set local statement_timeout = 0`))
  await tx.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  await requireSurroundings(tx)
  await createRecord(tx)
}

/** Applies the missing migrations, up to a given one or all, and returns their number. */
export async function applyMigrations(
  tx: Tx,
  { upTo = Number.POSITIVE_INFINITY, onProgress = (_done: number, _total: number) => {} } = {},
): Promise<number> {
  const wanted = ours.filter(({ folderMillis }) => folderMillis <= upTo)
  const pending = await pendingOf(tx, wanted)
  for (const [index, migration] of pending.entries()) {
    onProgress(index, pending.length)
    await apply(tx, migration)
  }
  return pending.length
}

/** Versions of the applied migrations. */
export async function appliedMigrations(db: Db | Tx): Promise<number[]> {
  const [found] = await db.execute<{ isThere: boolean }>(
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as "isThere"`,
  )
  if (!found?.isThere) return []
  const applied = await db.execute<{ created_at: string }>(
    sql`select created_at from drizzle.__drizzle_migrations`,
  )
  return applied.map(({ created_at }) => Number(created_at))
}
