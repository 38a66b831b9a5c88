import { sql } from 'drizzle-orm'
import type { Db } from './client'
import { migrations } from './migrations'

/** Any number will do, as long as all instances take the same. */
const MIGRATION_LOCK = 7_303_014
const LOCK_PATIENCE = '60s'

/**
 * Brings the database to the newest schema and says how many migrations that took. Instances that start together
 * take turns: drizzle's own migrate() takes no lock. The record of what was applied is drizzle's.
 */
export async function migrate(
  db: Db,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.execute(sql.raw(`set local lock_timeout = '${LOCK_PATIENCE}'; set local statement_timeout = 0`))
    await tx.execute(sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
    await tx.execute(sql`create schema if not exists drizzle`)
    await tx.execute(
      sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
    )
    const applied = await tx.execute<{ created_at: string }>(
      sql`select created_at from drizzle.__drizzle_migrations`,
    )
    const known = new Set(applied.map(({ created_at }) => Number(created_at)))
    const pending = migrations.filter(({ folderMillis }) => !known.has(folderMillis))
    for (const [index, { sql: statements, hash, folderMillis }] of pending.entries()) {
      onProgress(index, pending.length)
      for (const statement of statements) await tx.execute(sql.raw(statement))
      await tx.execute(
        sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis})`,
      )
    }
    return pending.length
  })
}
