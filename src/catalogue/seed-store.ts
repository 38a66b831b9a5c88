import { and, eq, getTableColumns, inArray, sql } from 'drizzle-orm'
import { movieDeleted } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvents } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { BUILT_IN_USER_ID, movies, seededMovies } from '../db/schema'
import initialMovies from '../movies/initial-movies.json'
import { isSameContent, newMovie } from '../movies/model'

export const INITIAL_MOVIES = initialMovies.length

const BATCH = 50

/** Whether there are no movies, and no initial movie was ever loaded. */
export async function isBare(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where not exists (select from ${seededMovies}) and not exists (select from ${movies})`,
  )
  return found.length > 0
}

/** Recorded in the place of a title, which can't be empty: the initial movies are not to come by themselves. */
const KEPT_OUT = ''

/** Keeps the initial movies out of a catalogue that never had any, even while it is empty. */
export const keepInitialMoviesOut = (db: Db) =>
  db.execute(
    sql`insert into ${seededMovies} select ${KEPT_OUT} where not exists (select from ${seededMovies}) on conflict do nothing`,
  )

/** False for a catalogue that was filled without them, here or where it was restored from. */
export async function wantsInitialMovies(db: Db): Promise<boolean> {
  const found = await db.execute(sql`
    select 1 where not exists (select from ${seededMovies} where ${seededMovies.title} = ${KEPT_OUT})
      and (exists (select from ${seededMovies}) or not exists (select from ${movies}))`)
  return found.length > 0
}

/**
 * Loads the initial movies that were never loaded here, and returns their number. A movie that was deleted
 * since, or whose title is taken, is skipped.
 */
export async function seedMovies(
  db: Db,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<number> {
  return db.transaction(async (tx) => {
    // One at a time: instances that start together wait for each other here.
    await tx.execute(sql`lock table ${seededMovies} in exclusive mode`)
    await tx.delete(seededMovies).where(eq(seededMovies.title, KEPT_OUT))
    const known = new Set((await tx.select().from(seededMovies)).map(({ title }) => title))
    const fresh = initialMovies.filter(({ title }) => !known.has(title))
    if (fresh.length === 0) return 0
    await tx.insert(seededMovies).values(fresh.map(({ title }) => ({ title })))
    let added = 0
    for (let done = 0; done < fresh.length; done += BATCH) {
      onProgress(done, fresh.length)
      const inserted = await tx
        .insert(movies)
        .values(
          fresh
            .slice(done, done + BATCH)
            .map((movie) => ({ ...newMovie(movie), createdBy: BUILT_IN_USER_ID })),
        )
        .onConflictDoNothing()
        .returning({ id: movies.id })
      added += inserted.length
    }
    return added
  })
}

export type Removal = { readonly removed: number; readonly kept: number }

/**
 * Removes the initial movies that are still as they were loaded, and counts the built-in account's movies of
 * their titles that aren't: somebody has changed them, or added them since. The removed ones stay recorded as
 * loaded, so they don't come back.
 */
export async function removeInitialMovies(db: Db, author: Author): Promise<Removal> {
  return db.transaction(async (tx) => {
    const found = await findBuiltIn(tx)
    const unchanged = found.filter(isAsLoaded).map(({ id }) => id)
    const removed = await tx
      .delete(movies)
      .where(and(inArray(movies.id, unchanged), eq(movies.createdBy, BUILT_IN_USER_ID), isFirstVersion))
      .returning({ id: movies.id, title: movies.title, year: movies.year })
    await recordEvents(tx, author, removed.map(movieDeleted))
    return { removed: removed.length, kept: found.length - removed.length }
  })
}

const isFirstVersion = eq(movies.version, 1)

const findBuiltIn = (tx: Tx) =>
  tx
    .select(getTableColumns(movies))
    .from(movies)
    .innerJoin(seededMovies, eq(seededMovies.title, movies.title))
    .where(eq(movies.createdBy, BUILT_IN_USER_ID))

const loaded = new Map(initialMovies.map((movie) => [movie.title, newMovie(movie)]))

/** An import may have brought back the title, with other content. */
function isAsLoaded(movie: typeof movies.$inferSelect): boolean {
  const initial = loaded.get(movie.title)
  return movie.version === 1 && initial !== undefined && isSameContent(movie, initial)
}
