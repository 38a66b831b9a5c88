import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { BUILT_IN_USER_ID, movies, seededMovies } from '../db/schema'
import initialMovies from './initial-movies.json'
import { newMovie } from './model'

/** How many they are. */
export const INITIAL_MOVIES = initialMovies.length

const BATCH = 50

/** Whether there are no movies, and never were any of the initial ones. */
export async function isBare(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where not exists (select from ${seededMovies}) and not exists (select from ${movies})`,
  )
  return found.length > 0
}

/** A catalogue that was filled without them, somewhere else, and restored here stays as it is. */
export async function wantsInitialMovies(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where exists (select from ${seededMovies}) or not exists (select from ${movies})`,
  )
  return found.length > 0
}

/**
 * Loads the initial movies that this database has not been given before, and says how many that were. A movie that was
 * deleted since, or whose title somebody else has used, stays away.
 */
export async function seedMovies(
  db: Db,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<number> {
  return db.transaction(async (tx) => {
    // One at a time: two instances that start together wait for each other here.
    await tx.execute(sql`lock table ${seededMovies} in exclusive mode`)
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

/**
 * Removes the initial movies that are still the built-in account's, and says how many that were. They stay noted as
 * loaded, so that they don't come back.
 */
export async function removeInitialMovies(db: Db): Promise<number> {
  const initial = JSON.stringify(initialMovies.map(({ title, year }) => ({ title, year })))
  const removed = await db.execute(sql`
    delete from ${movies} using json_to_recordset(${initial}::json) as initial (title text, year integer)
    where ${movies.createdBy} = ${BUILT_IN_USER_ID}
      and ${movies.title} = initial.title and ${movies.year} = initial.year
      and exists (select from ${seededMovies} where ${seededMovies.title} = initial.title)
    returning 1`)
  return removed.length
}
