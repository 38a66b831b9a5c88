import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { appliedMigrations } from './migrate'
import { migrations } from './migrations'

/** The state of a database, as far as it shows from outside. */
export async function inspectDatabase(db: Db) {
  const before = Date.now()
  const [facts] = await db.execute<{
    version: number
    release: string
    encoding: string
    isReplica: boolean
    hasUnaccent: boolean
    offersUnaccent: boolean
    hasIcu: boolean
    milliseconds: string
  }>(sql`
    select current_setting('server_version_num')::int as version,
      split_part(current_setting('server_version'), ' ', 1) as release,
      current_setting('server_encoding') as encoding,
      pg_is_in_recovery() as "isReplica",
      exists (select from pg_extension where extname = 'unaccent') as "hasUnaccent",
      exists (select from pg_available_extensions where name = 'unaccent') as "offersUnaccent",
      exists (select from pg_collation where collname = 'und-x-icu') as "hasIcu",
      extract(epoch from clock_timestamp()) * 1000 as milliseconds`)
  if (facts === undefined) throw new Error('the database returned nothing')
  const after = Date.now()
  const theirs = Number(facts.milliseconds)
  const known = new Set(migrations.map(({ folderMillis }) => folderMillis))
  const applied = await appliedMigrations(db)
  return {
    ...facts,
    /** How far its clock is ahead of ours, or behind; a difference within the query's duration counts as none. */
    clockAheadMs: theirs > after ? theirs - after : theirs < before ? theirs - before : 0,
    pending: migrations.filter(({ folderMillis }) => !applied.includes(folderMillis)).length,
    isNewer: applied.some((version) => !known.has(version)),
  }
}
