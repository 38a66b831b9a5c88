import { sql } from 'drizzle-orm'
import { movieDeleted } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvents } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { BUILT_IN_USER_ID, movies, seededMovies } from '../db/schema'
import initialMovies from '../movies/initial-movies.json'
import { newMovie } from '../movies/model'

export const INITIAL_MOVIES = initialMovies.length

const BATCH = 50

/** Whether there are no movies, and no initial movie was ever loaded. */
export async function isBare(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where not exists (select from ${seededMovies}) and not exists (select from ${movies})`,
  )
  return found.length > 0
}

/** False for a catalogue that was filled elsewhere without them and restored here. */
export async function wantsInitialMovies(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where exists (select from ${seededMovies}) or not exists (select from ${movies})`,
  )
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
 * Removes the initial movies that still belong to the built-in account, and returns their number. They stay
 * recorded as loaded, so they don't come back.
 */
export async function removeInitialMovies(db: Db, author: Author): Promise<number> {
  return db.transaction(async (tx) => {
    const removed = await deleteInitialMovies(tx)
    await recordEvents(
      tx,
      author,
      removed.map((movie) => movieDeleted({ ...movie, id: Number(movie.id) })),
    )
    return removed.length
  })
}

function deleteInitialMovies(tx: Tx) {
  const initial = JSON.stringify(initialMovies.map(({ title, year }) => ({ title, year })))
  return tx.execute<{ id: string; title: string; year: number }>(sql`
    delete from ${movies} using json_to_recordset(${initial}::json) as initial (title text, year integer)
    where ${movies.createdBy} = ${BUILT_IN_USER_ID}
      and ${movies.title} = initial.title and ${movies.year} = initial.year
      and exists (select from ${seededMovies} where ${seededMovies.title} = initial.title)
    returning ${movies.id}, ${movies.title}, ${movies.year}`)
}
