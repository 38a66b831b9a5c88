import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { BUILT_IN_USER_ID, movies, seededMovies } from '../db/schema'
import initialFilms from './initial-movies.json'
import { newMovie } from './model'

const BATCH = 50

/** A catalogue that was filled without them, somewhere else, and restored here stays as it is. */
export async function wantsInitialFilms(db: Db): Promise<boolean> {
  const found = await db.execute(
    sql`select 1 where exists (select from ${seededMovies}) or not exists (select from ${movies})`,
  )
  return found.length > 0
}

/**
 * Loads the initial films that this database has not been given before, and says how many that were. A film that was
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
    const fresh = initialFilms.filter(({ title }) => !known.has(title))
    if (fresh.length === 0) return 0
    await tx.insert(seededMovies).values(fresh.map(({ title }) => ({ title })))
    let added = 0
    for (let done = 0; done < fresh.length; done += BATCH) {
      onProgress(done, fresh.length)
      const inserted = await tx
        .insert(movies)
        .values(
          fresh.slice(done, done + BATCH).map((film) => ({ ...newMovie(film), createdBy: BUILT_IN_USER_ID })),
        )
        .onConflictDoNothing()
        .returning({ id: movies.id })
      added += inserted.length
    }
    return added
  })
}
