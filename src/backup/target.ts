import { sql } from 'drizzle-orm'
import type { Tx } from '../db/client'
import { dependentOf } from '../db/errors'
import { BUILT_IN_USER_ID } from '../db/schema'
import { OperatorError } from '../errors'
import { appliedMigrations } from '../migrations/migrate'
import { migrations } from '../migrations/migrations'
import { array, ownFunctions, ownNames, ownTables, presentOids } from './own-objects'
import { storedColumns } from './snapshot'

/**
 * A running service would go on with its cached data. The embedded database is protected by its folder's
 * lock.
 */
export async function requireNobodyElse(tx: Tx): Promise<void> {
  // Otherwise a second query would return the first one's result.
  await tx.execute(sql`select pg_stat_clear_snapshot()`)
  const [found] = await tx.execute<{ others: string }>(sql`
    select count(*) as others from pg_stat_activity
    where datname = current_database() and application_name like 'redlight%' and pid <> pg_backend_pid()`)
  if (Number(found?.others) > 0)
    throw new OperatorError(
      `a running redlight has ${found?.others} connections to this database: stop "redlight serve" first, on every machine`,
    )
}

/** Content is a user, or a movie other than the initial ones. */
export async function requireNoContent(tx: Tx): Promise<void> {
  const isNewer = (await appliedMigrations(tx)).some((version) => !ourVersions.includes(version))
  if (isNewer || (await hasContent(tx)))
    throw new OperatorError(
      'the database has users or movies: use an empty one, or --replace to delete its content',
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

/** Locked before the content is checked, so that nobody adds to what will be deleted. */
export async function lockTables(tx: Tx): Promise<void> {
  const tables = await presentTables(tx)
  if (tables.length > 0) await tx.execute(sql.raw(`lock table ${inPublic(tables)} in access exclusive mode`))
}

/** Refuses a database in which another program has tables of our names, or additions to ours. */
export async function requireOurOwn(tx: Tx): Promise<void> {
  const [table] = await presentTables(tx)
  const isMigrated = (await appliedMigrations(tx)).some((version) => ourVersions.includes(version))
  if (table !== undefined && !isMigrated)
    throw new OperatorError(
      `the table ${table} was not made by Redlight: use an empty database (nothing was changed)`,
    )
  const [foreign] = await tx.execute<{ what: string }>(sql`
    select format('the column %I of %s', attname, attrelid::regclass) as what from pg_attribute
    where attrelid in (${presentOids}) and attnum > 0 and not attisdropped and attname <> all(${array(ownNames)})
    union all
    select format('the trigger %I of %s', tgname, tgrelid::regclass) from pg_trigger
    where tgrelid in (${presentOids}) and not tgisinternal and tgname <> all(${array(ownNames)})
    limit 1`)
  if (foreign !== undefined) throw inTheWay(`${foreign.what} was not made by this version of Redlight`)
}

/** Drops what migrations created, except extensions; refuses if other objects depend on it. */
export async function emptyDatabase(tx: Tx): Promise<void> {
  await tx.execute(sql.raw('set local client_min_messages = warning'))
  try {
    await tx.execute(sql.raw(`drop table if exists ${inPublic(ownTables)}`))
    await tx.execute(
      sql.raw(`drop function if exists ${ownFunctions.map((name) => `public.${name}`).join(', ')}`),
    )
  } catch (error) {
    const dependent = dependentOf(error)
    throw dependent === undefined ? error : inTheWay(dependent)
  }
  // Other programs may record their migrations there too; later ones than ours are a newer Redlight's.
  await tx.execute(sql`
    delete from drizzle.__drizzle_migrations
    where created_at = any(${array(ourVersions)}::bigint[]) or created_at > ${Math.max(...ourVersions)}`)
}

const inTheWay = (what: string) =>
  new OperatorError(
    `${what}, and would be lost: move it, or restore into an empty database (nothing was changed)`,
  )

const ourVersions = migrations.map(({ folderMillis }) => folderMillis)

async function presentTables(tx: Tx): Promise<string[]> {
  const found = await tx.execute<{ name: string }>(
    sql`select relname as name from pg_class where oid in (${presentOids}) order by 1`,
  )
  return found.map(({ name }) => name)
}

const inPublic = (tables: readonly string[]) => tables.map((name) => `public."${name}"`).join(', ')
