import { sql } from 'drizzle-orm'
import type { Tx } from '../db/client'
import { appliedMigrations } from '../db/migrate'
import { migrations } from '../db/migrations'
import { BUILT_IN_USER_ID } from '../db/schema'
import { BackupProblem } from './problem'
import { quoted, storedColumns } from './snapshot'
import { storedTables, tablesLeftOut } from './tables'

/** A service that runs on the database would go on with what it remembers. The embedded one is locked by its folder. */
export async function requireNobodyElse(tx: Tx): Promise<void> {
  const [found] = await tx.execute<{ others: string }>(sql`
    select count(*) as others from pg_stat_activity
    where datname = current_database() and application_name like 'redlight%' and pid <> pg_backend_pid()`)
  if (Number(found?.others) > 0)
    throw new BackupProblem(
      `a redlight that runs has ${found?.others} connections to this database: stop it first ("redlight serve", on every machine)`,
    )
}

/** Content is a user, or a film that is not one of the initial ones. */
export async function requireNoContent(tx: Tx): Promise<void> {
  const known = new Set(migrations.map(({ folderMillis }) => folderMillis))
  const isNewer = (await appliedMigrations(tx)).some((version) => !known.has(version))
  if (isNewer || (await hasContent(tx)))
    throw new BackupProblem(
      'the database holds users or films: name an empty one, or say --replace to lose all that is in it',
    )
}

async function hasContent(tx: Tx): Promise<boolean> {
  const isThere = async (table: string) => (await storedColumns(tx, table)).length > 0
  const exists = async (query: ReturnType<typeof sql>) =>
    (await tx.execute(sql`select 1 where exists (${query})`)).length > 0
  if ((await isThere('users')) && (await exists(sql`select from users where id <> ${BUILT_IN_USER_ID}`)))
    return true
  if (!(await isThere('movies'))) return false
  if (!(await isThere('seeded_movies'))) return exists(sql`select from movies`)
  return exists(
    sql`select from movies where version > 1 or not exists (select from seeded_movies as s where s.title = movies.title)`,
  )
}

/** Removes what migrations made: tables and functions, but neither extensions nor what other programs keep beside them. */
export async function emptyDatabase(tx: Tx): Promise<void> {
  const tables = [...storedTables.map(({ name }) => name), ...tablesLeftOut]
  await tx.execute(
    sql.raw(`set local client_min_messages = warning; drop table if exists ${quoted(tables)} cascade`),
  )
  const functions = await tx.execute<{ signature: string }>(sql`
    select oid::regprocedure::text as signature from pg_proc
    where pronamespace = 'public'::regnamespace and proowner = current_user::regrole
      and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')`)
  for (const { signature } of functions)
    await tx.execute(sql.raw(`drop function if exists ${signature} cascade`))
  await tx.execute(sql`delete from drizzle.__drizzle_migrations`)
}
