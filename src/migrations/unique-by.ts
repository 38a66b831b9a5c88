import { sql } from 'drizzle-orm'
import type { UniqueBy } from '../config/config'
import type { Db, Tx } from '../db/client'
import { brokenConstraint } from '../db/errors'
import { OperatorError } from '../errors'
import { withoutTimeouts } from './indexes'
import { inTurn, withoutQueueing } from './migrate'

// An index decides when two movies are the same: by title, or by title and year. The existing index counts,
// whatever is configured; a 422 asks it (movies/taken-store).

const INDEX = 'movies_title_key'
/** The replacement, until it is renamed. */
const NEXT = 'movies_title_key_new'
const MAX_NAMED = 10

const createIndex = (how: string, name: string, by: UniqueBy) =>
  sql.raw(`create unique index ${how} ${name} on movies (title_key(title)${by === 'title' ? '' : ', year'})`)

/** Undefined before the migration that creates the index. */
export async function findUniqueBy(db: Db | Tx): Promise<UniqueBy | undefined> {
  return (await findIndexes(db)).by
}

async function findIndexes(db: Db | Tx): Promise<{ by: UniqueBy | undefined; isLeftOver: boolean }> {
  const [found] = await db.execute<{ columns: number | null; isLeftOver: boolean }>(sql`
    select (select indnatts::int from pg_index where indexrelid = to_regclass(${INDEX})) as columns,
      to_regclass(${NEXT}) is not null as "isLeftOver"`)
  const columns = found?.columns ?? 0
  const by = columns === 0 ? undefined : columns === 1 ? 'title' : 'title,year'
  return { by, isLeftOver: found?.isLeftOver ?? false }
}

/**
 * Applies the wanted unique rule; returns whether that was a change. The index is built while others write;
 * if movies violate it, it is dropped again, and an OperatorError names their titles.
 */
export async function setUniqueBy(db: Db, wanted: UniqueBy, onBlocked = () => {}): Promise<boolean> {
  const isDone = ({ by, isLeftOver }: Awaited<ReturnType<typeof findIndexes>>) => by === wanted && !isLeftOver
  if (isDone(await findIndexes(db))) return false
  return inTurn(db, async () => {
    const { by } = await findIndexes(db)
    // Left by a killed process; even a half-built one refuses rows.
    await dropNext(db)
    if (by === wanted) return false
    try {
      await withoutTimeouts(db, () => db.execute(createIndex('concurrently', NEXT, wanted)))
      await withoutQueueing(db, { onBlocked }, async (tx) => {
        await tx.execute(sql.raw(`drop index if exists ${INDEX}`))
        await tx.execute(sql.raw(`alter index ${NEXT} rename to ${INDEX}`))
      })
      return true
    } catch (error) {
      // What prevents this is what failed before; the next start drops it.
      await dropNext(db).catch(() => {})
      throw brokenConstraint(error) === NEXT ? await namesakesProblem(db) : error
    }
  })
}

const dropNext = (db: Db) =>
  withoutTimeouts(db, () => db.execute(sql.raw(`drop index concurrently if exists ${NEXT}`)))

/** The same in a transaction that has the table to itself. */
export async function setUniqueByAlone(tx: Tx, wanted: UniqueBy): Promise<void> {
  const found = await findUniqueBy(tx)
  if (found === undefined || found === wanted) return
  await tx.execute(sql.raw(`drop index ${INDEX}`))
  await tx.execute(createIndex('', INDEX, wanted))
}

async function namesakesProblem(db: Db): Promise<OperatorError> {
  const found = await db.execute<{ title: string; ids: string; all: string }>(sql`
    select min(title) as title, string_agg(id::text, ', ' order by id) as ids, count(*) over () as all
    from movies group by title_key(title) having count(*) > 1 order by 1 limit ${MAX_NAMED}`)
  const named = found.map(({ title, ids }) => `${JSON.stringify(title)} (movies ${ids})`)
  const more = Number(found[0]?.all ?? 0) - found.length
  return new OperatorError(
    `MOVIES_UNIQUE_BY=title: several movies have one title: ${named.join(', ')}${more > 0 ? ` and ${more} more titles` : ''}. Rename all but one of each, remove them with "redlight movies remove ID", or set MOVIES_UNIQUE_BY=title,year (nothing was changed)`,
  )
}
