import { sql } from 'drizzle-orm'
import { catalogueRestored } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { applyMigrations, lockMigrations } from '../migrations/migrate'
import { setUniqueByAlone } from '../migrations/unique-by'
import { damaged, type Manifest, type TableEntry } from './manifest'
import { presentOids } from './own-objects'
import { batches } from './read'
import { quoted, storedColumns } from './snapshot'
import { storedTables } from './tables'
import { emptyDatabase, lockTables, requireNobodyElse, requireNoContent, requireOurOwn } from './target'
import type { OnRows } from './write'

// More sign-outs than happen between a backup and its restore, so no token issued meanwhile is valid again.
const GENERATION_STEP = 1000

export type RestoreOptions = {
  /** Whether existing content may be deleted. */
  readonly replace: boolean
  /** Whether tokens and keys from before the backup stay valid, including those revoked since. */
  readonly keepSessions: boolean
  /** Who restores, for the trail; without one, it stops at the backup's schema, to compare the content. */
  readonly author: Author | undefined
}

/**
 * Replaces the whole content of the database with the file's, or changes nothing. Returns the number of API
 * keys that were dropped.
 */
export async function restoreBackup(
  db: Db,
  path: string,
  manifest: Manifest,
  options: RestoreOptions,
  onRows: OnRows,
): Promise<number> {
  return await db.transaction(async (tx) => {
    await lockMigrations(tx)
    await requireNobodyElse(tx)
    await lockTables(tx)
    // A service that connected meanwhile waits for these locks, unless it has read already.
    await requireNobodyElse(tx)
    await requireOurOwn(tx)
    if (!options.replace) await requireNoContent(tx)
    await emptyDatabase(tx)
    await applyMigrations(tx, { upTo: manifest.schema })
    await setUniqueByAlone(tx, manifest.unique_by ?? 'title')
    await load(tx, path, manifest, onRows)
    for (const table of manifest.tables) await finish(tx, path, table)
    if (options.author !== undefined) {
      await applyMigrations(tx)
      await recordEvent(tx, options.author, catalogueRestored(manifest.taken_at))
    }
    return options.keepSessions ? 0 : endSessions(tx)
  })
}

/** A token or a key that was revoked after the backup must not be good again. */
async function endSessions(tx: Tx): Promise<number> {
  await tx.execute(sql`update users set token_generation = token_generation + ${GENERATION_STEP}`)
  const dropped = await tx.execute(sql`delete from keys returning id`)
  return dropped.length
}

async function load(tx: Tx, path: string, manifest: Manifest, onRows: OnRows) {
  const names = new Set(storedTables.map(({ name }) => name))
  for (const { name, columns } of manifest.tables) {
    const isKnown = names.has(name) && (await storedColumns(tx, name)).join() === columns.join()
    if (!isKnown) throw damaged(path, `the columns of ${name}`)
  }
  // Migrations add rows, such as the built-in account.
  await tx.execute(sql.raw(`truncate ${quoted(manifest.tables.map(({ name }) => name))} cascade`))
  const makeIndexes = await withoutIndexes(tx)
  for await (const batch of batches(path, manifest)) {
    await insert(tx, batch.table, batch.bytes)
    onRows(batch.rows)
  }
  await makeIndexes()
}

/**
 * Building an index on a full table takes a fraction of maintaining it while the table fills. A trigger reads
 * the known words for each movie.
 */
async function withoutIndexes(tx: Tx): Promise<() => Promise<void>> {
  const indexes = await tx.execute<{ name: string; definition: string }>(sql`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid in (${presentOids}) and indrelid is distinct from to_regclass('public.known_words')
      and not exists (select from pg_constraint where conindid = indexrelid)`)
  for (const { name } of indexes) await tx.execute(sql.raw(`drop index ${name}`))
  return async () => {
    for (const { definition } of indexes) await tx.execute(sql.raw(definition))
  }
}

/** JSON escapes newlines, so replacing them with commas turns lines into an array. */
async function insert(tx: Tx, { name, columns }: TableEntry, lines: Buffer) {
  const array = `[${lines.toString('utf8', 0, lines.length - 1).replaceAll('\n', ',')}]`
  const list = sql.raw(quoted(columns))
  const table = sql.raw(quoted([name]))
  await tx.execute(
    sql`insert into ${table} (${list}) overriding system value select ${list} from json_populate_recordset(null::${table}, ${array}::json)`,
  )
}

async function finish(tx: Tx, path: string, { name, rows, next_id: nextId }: TableEntry) {
  const table = quoted([name])
  const [found] = await tx.execute<{ rows: string }>(sql.raw(`select count(*) as rows from ${table}`))
  if (Number(found?.rows) !== rows) throw damaged(path, `the number of rows of ${name}`)
  if (nextId !== undefined)
    await tx.execute(sql.raw(`alter table ${table} alter column id restart with ${nextId}`))
}
