import { sql } from 'drizzle-orm'
import type { Db } from './client'

/**
 * Awaited here, because Drizzle sends a query only when it is awaited, and that has to happen under the
 * caller's deadline.
 */
export async function ping(db: Db): Promise<void> {
  await db.execute(sql`select 1`)
}

/** Why the database refuses writes; undefined if it accepts them. */
export async function whyReadOnly(db: Db): Promise<string | undefined> {
  const [state] = await db.execute<{ standby: boolean; readOnly: boolean }>(
    sql`select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as "readOnly"`,
  )
  if (state?.standby) return 'it is a standby'
  return state?.readOnly ? 'it is read-only' : undefined
}

/**
 * Ends the current session. A session keeps the `default_transaction_read_only` it started with, and the
 * driver closes a connection that returns this code (decision 8).
 */
export const endReadOnlySession = (db: Db) =>
  db.execute(sql`do $$ begin raise 'Redlight ends its read-only session' using errcode = '25006'; end $$`)
