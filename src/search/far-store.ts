import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { movieCounts } from '../db/schema'
import type { Sort } from '../rules/lists'

/** Rows of an order: a page counted from the end of a list uses the reverse order. */
export type Range = {
  readonly reversed: boolean
  readonly limit: number
  readonly offset: number
  readonly start?: Start
}
/** Where to begin in the order of ids: at a block's first id, or at the very beginning. */
export type Start = { readonly descending: boolean; readonly bound: string | null }

const bound = sql`${sql.placeholder('bound')}::bigint`
/** Movies from the start on. */
export const startCondition = (start: Start | undefined): SQL | undefined =>
  start === undefined || start.bound === null
    ? undefined
    : sql`movies.id ${sql.raw(start.descending ? '<' : '>=')} ${bound}`
/** Number of movies before the start. */
export const countBefore = (start: Start | undefined): SQL =>
  start === undefined || start.bound === null
    ? sql`0`
    : sql`select coalesce(sum(movies), 0) from ${movieCounts}
        where first_id ${sql.raw(start.descending ? '>=' : '<')} ${bound}`

/** Totals from the snapshot in which the range is read. */
export type Snapshot = { readonly total: number; readonly before: number }
/** A shortcut to a page, and whether it still holds in the snapshot that was read. */
export type Shortcut = { readonly range: Range; readonly holds: (snapshot: Snapshot) => boolean }

type Wanted = { readonly limit: number; readonly offset: number }

const nothing: Range = { reversed: false, limit: 0, offset: 0 }

/** A page past the middle is counted from the end, using the known total. */
export function fromTheEnd(known: number, { limit, offset }: Wanted): Shortcut | undefined {
  const holds = (snapshot: Snapshot) => snapshot.total === known
  if (offset >= known) return { range: nothing, holds }
  if (2 * offset <= known) return undefined
  const range = {
    reversed: true,
    limit: Math.min(limit, known - offset),
    offset: Math.max(0, known - offset - limit),
  }
  return { range, holds }
}

/** A page of all movies by id starts in a block; the movies of earlier blocks are already counted. */
export async function fromTheBlock(
  db: Db,
  { descending }: Pick<Sort<string>, 'descending'>,
  { limit, offset }: Wanted,
): Promise<Shortcut> {
  const direction = sql.raw(descending ? 'desc' : 'asc')
  const [block] = await db.execute<{ bound: string | null; before: string }>(sql`
    select bound, before from (
      select ${descending ? sql`lag(first_id) over blocks` : sql`first_id`}::text as bound,
        sum(sum(movies)) over blocks - sum(movies) as before, sum(movies) as movies
      from ${movieCounts} group by first_id window blocks as (order by first_id ${direction})
    ) as blocks where before <= ${offset} and ${offset} < before + movies`)
  if (block === undefined) return { range: nothing, holds: ({ total }) => total <= offset }
  const before = Number(block.before)
  const start = { descending, bound: block.bound }
  const range = { reversed: false, limit, offset: offset - before, start }
  return { range, holds: (snapshot) => snapshot.before === before }
}
