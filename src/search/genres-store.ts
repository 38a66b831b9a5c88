import { sql } from 'drizzle-orm'
import { askedOnce, builtOnce } from '../db/batch'
import type { Db } from '../db/client'

/** Counting reads every movie, so each database is asked this seldom. */
const MAX_AGE_MS = 10_000
const MAX_GENRES = 10_000

export type Genre = { readonly name: string; readonly movies: number }

/** Each genre under its commonest spelling; of equally common ones, the first in the alphabet. */
const countGenres = askedOnce(async (db, _: 'all genres'): Promise<Genre[]> => {
  const genres = await db.execute<{ name: string; movies: string }>(sql`
    with spellings as (
      select key, name, count(*) as movies
      from movies, unnest(genre_keys, genres) as genre (key, name) group by key, name)
    select (array_agg(name order by movies desc, name collate "C"))[1] as name, sum(movies) as movies
    from spellings group by key order by 2 desc, key collate "und-x-icu", key collate "C" limit ${MAX_GENRES}`)
  return genres.map(({ name, movies }) => ({ name, movies: Number(movies) }))
})

type Known = { genres: readonly Genre[]; countedAt: number }
const knownTo = builtOnce((): Known => ({ genres: [], countedAt: Number.NEGATIVE_INFINITY }))

/** Most movies first, then by name; at most 10 seconds old. */
export async function listGenres(db: Db, now = () => performance.now()): Promise<readonly Genre[]> {
  const known = knownTo(db)
  if (now() - known.countedAt < MAX_AGE_MS) return known.genres
  const askedAt = now()
  const genres = await countGenres(db, 'all genres')
  Object.assign(known, { genres, countedAt: askedAt })
  return genres
}
