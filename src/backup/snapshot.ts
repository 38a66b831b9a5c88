import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { OperatorError } from '../errors'
import { appliedMigrations } from '../migrations/migrate'
import { migrations } from '../migrations/migrations'
import { findUniqueBy } from '../migrations/unique-by'
import { type Declare, withCursors } from './cursors'
import { type StoredTable, storedTables } from './tables'

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

/** Reads the whole database as of one moment. */
export const withSnapshot = <T>(
  db: Db,
  kind: 'postgres' | 'embedded',
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> => withCursors(db, kind, take, work)

async function take(tx: Tx, declare: Declare): Promise<Snapshot> {
  await tx.execute(sql.raw(`set local timezone = 'UTC'`))
  const schema = await schemaVersion(tx)
  const tables: SnapshotTable[] = []
  for (const table of storedTables) {
    const columns = await storedColumns(tx, table.name)
    // A table of a migration that this database doesn't have yet.
    if (columns.length === 0) continue
    const rows = await declare(sql.raw(rowsAsJson(table, columns)))
    const nextId = table.hasIds ? await nextIdOf(tx, table.name) : undefined
    tables.push({ name: table.name, columns, nextId, pages: () => pages(rows()) })
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

async function* pages(rows: AsyncIterable<readonly string[]>) {
  for await (const lines of rows) yield { text: `${lines.join('\n')}\n`, rows: lines.length }
}
