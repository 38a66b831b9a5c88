import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { UNNAMED } from '../db/driver'
import { OperatorError } from '../errors'
import { appliedMigrations } from '../migrations/migrate'
import { migrations } from '../migrations/migrations'
import { findUniqueBy } from '../migrations/unique-by'
import { type StoredTable, storedTables } from './tables'

const PAGE_ROWS = 1000
const CURSOR_PREFIX = 'redlight_backup_'
const FORGOTTEN_AFTER = '12 hours'

type SnapshotTable = {
  readonly name: string
  readonly columns: readonly string[]
  readonly nextId: number | undefined
  /** Rows as JSON, one per line, in pages. */
  pages(): AsyncGenerator<{ text: string; rows: number }>
}
export type Snapshot = {
  readonly schema: number
  readonly uniqueBy: Awaited<ReturnType<typeof findUniqueBy>>
  readonly tables: readonly SnapshotTable[]
}

/**
 * Reads the whole database as of one moment. On a server, a transaction stays open meanwhile. The embedded
 * database has one session, which a transaction would block for everyone: there the rows are copied at once
 * into cursors that outlive their transaction, and others get their turn between pages.
 */
export async function withSnapshot<T>(
  db: Db,
  kind: 'postgres' | 'embedded',
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const isolation = { isolationLevel: 'repeatable read', accessMode: 'read only' } as const
  const prefix = `${CURSOR_PREFIX}${crypto.randomUUID().replaceAll('-', '')}_`
  if (kind === 'postgres')
    return db.transaction(async (tx) => work(await take(tx, tx, prefix, 'without hold')), isolation)
  await closeCursors(
    db,
    sql`name like ${`${CURSOR_PREFIX}%`} and creation_time < now() - ${FORGOTTEN_AFTER}::interval`,
  )
  const snapshot = await db.transaction((tx) => take(tx, db, prefix, 'with hold'), isolation)
  try {
    return await work(snapshot)
  } finally {
    await closeCursors(db, sql`name like ${`${prefix}%`}`)
  }
}

async function closeCursors(db: Db, which: ReturnType<typeof sql>) {
  for (const { name } of await db.execute<{ name: string }>(sql`select name from pg_cursors where ${which}`))
    await db.execute(sql.raw(`close ${name}`))
}

async function take(tx: Tx, later: Db | Tx, prefix: string, hold: string): Promise<Snapshot> {
  await tx.execute(sql.raw(`set local timezone = 'UTC'`))
  await tx.execute(sql.raw(`set local bytea_output = 'hex'`))
  const schema = await schemaVersion(tx)
  const tables: SnapshotTable[] = []
  for (const table of storedTables) {
    const columns = await storedColumns(tx, table.name)
    // A table of a migration that this database doesn't have yet.
    if (columns.length === 0) continue
    const cursor = prefix + table.name
    await tx.execute(sql.raw(`declare ${cursor} no scroll cursor ${hold} for ${rowsAsJson(table, columns)}`))
    const nextId = table.hasIds ? await nextIdOf(tx, table.name) : undefined
    tables.push({ name: table.name, columns, nextId, pages: () => pages(later, cursor) })
  }
  return { schema, uniqueBy: await findUniqueBy(tx), tables }
}

/** The database's newest migration; this program must know all of them to understand the content. */
async function schemaVersion(tx: Tx): Promise<number> {
  const applied = await appliedMigrations(tx)
  const known = new Set(migrations.map(({ folderMillis }) => folderMillis))
  if (applied.length === 0)
    throw new OperatorError('the database is empty: "redlight migrate" creates its tables')
  if (!applied.every((version) => known.has(version)))
    throw new OperatorError('the database is newer than this redlight: use the version that runs with it')
  return Math.max(...applied)
}

/** Columns of a table that are written, not generated; empty when there is no such table. */
export async function storedColumns(tx: Tx, table: string): Promise<string[]> {
  const found = await tx.execute<{ name: string }>(sql`
    select attname as name from pg_attribute
    where attrelid = to_regclass(${`public.${table}`}) and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum`)
  return found.map(({ name }) => name)
}

const rowsAsJson = ({ name, order }: StoredTable, columns: readonly string[]) =>
  `select row_to_json(r)::text as line from (select ${quoted(columns)} from public.${name} order by ${order}) as r`

export const quoted = (names: readonly string[]) =>
  names.map((name) => `"${name.replaceAll('"', '""')}"`).join(', ')

async function nextIdOf(tx: Tx, table: string): Promise<number> {
  const [found] = await tx.execute<{ sequence: string }>(
    sql`select pg_get_serial_sequence(${`public.${table}`}, 'id') as sequence`,
  )
  const [state] = await tx.execute<{ next: string }>(
    sql.raw(`select last_value + is_called::int as next from ${found?.sequence}`),
  )
  return Number(state?.next)
}

async function* pages(db: Db | Tx, cursor: string) {
  for (;;) {
    const found = await db.execute<{ line: string }>(
      sql.raw(`${UNNAMED} fetch forward ${PAGE_ROWS} from ${cursor}`),
    )
    if (found.length === 0) return
    yield { text: `${found.map(({ line }) => line).join('\n')}\n`, rows: found.length }
  }
}
