import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'

/** Any number works, as long as all instances use the same. */
const RECOUNT_LOCK = 7_303_015

export type MovieCount = {
  readonly found: number
  /** The value in `total_records`. */
  readonly counted: number
  /** Blocks with a wrong count, which may cancel out in the sum. */
  readonly wrongBlocks: number
}
type Row = { found: string; counted: string; wrongBlocks: string }

const compared = sql`
  found as (select id - id % 100000 as first_id, count(*) as movies from movies group by 1),
  counted as (select first_id, sum(movies) as movies from movie_counts group by 1),
  wrong as (
    select first_id, coalesce(found.movies, 0) - coalesce(counted.movies, 0) as change
    from found full join counted using (first_id)
    where coalesce(found.movies, 0) <> coalesce(counted.movies, 0))`
const summary = sql`
  select (select coalesce(sum(movies), 0) from found) as found,
    (select coalesce(sum(movies), 0) from counted) as counted, (select count(*) from wrong) as "wrongBlocks"`

const toCount = (row: Row | undefined): MovieCount => ({
  found: Number(row?.found),
  counted: Number(row?.counted),
  wrongBlocks: Number(row?.wrongBlocks),
})

/** Compares the movies with the triggers' counts, in one snapshot. */
export async function compareMovieCount(db: Db): Promise<MovieCount> {
  const [row] = await db.execute<Row>(sql`with ${compared} ${summary}`)
  return toCount(row)
}

/**
 * Corrects the counts and returns the old ones. Writers continue meanwhile: a writer's movies and counts are
 * committed together, so in one snapshot the difference is exactly the error, and it is added to the current
 * counts. Lists with a wrong total are no longer served from the cache.
 */
export function recountMovies(db: Db): Promise<MovieCount> {
  return db.transaction(
    async (tx) => {
      // Two concurrent recounts would both add the difference; a TRUNCATE would empty the table under our
      // snapshot.
      await tx.execute(sql`select pg_advisory_xact_lock(${RECOUNT_LOCK})`)
      await tx.execute(sql`lock table movies in access share mode`)
      const [row] = await tx.execute<Row>(sql`with ${compared},
        corrected as (
          insert into movie_counts as counts (first_id, slot, movies)
          select first_id, 0, change from wrong order by first_id
          on conflict (first_id, slot) do update set movies = counts.movies + excluded.movies),
        outdated as (
          update catalogue_versions set version = next_catalogue_version(version)
          where slot = 0 and exists (select from wrong))
        ${summary}`)
      return toCount(row)
    },
    { isolationLevel: 'read committed' },
  )
}
