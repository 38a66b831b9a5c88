import { and, eq, sql } from 'drizzle-orm'
import { movieDeleted, movieReassigned } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import { batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { constraintFailure } from '../db/errors'
import { movies, users } from '../db/schema'
import { invalid } from '../errors'
import { movieColumns } from './columns'
import { type Creator, type Movie, NOT_A_USER } from './model'

const moviesById = builtOnce((db) =>
  db
    .select(movieColumns)
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(sql`${movies.id} = any(${sql.placeholder('ids')}::bigint[])`)
    .prepare('movies_by_id'),
)

export const findMovie: (db: Db, id: number) => Promise<Movie | undefined> = batched(
  async (db, ids: readonly number[]) => {
    const found = await moviesById(db).execute({ ids: `{${ids.join()}}` })
    return new Map(found.map((movie) => [movie.id, movie]))
  },
)

const moviesByExternalId = builtOnce((db) =>
  db
    .select(movieColumns)
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(
      sql`${movies.external_id} = any(array(select json_array_elements_text(${sql.placeholder('ids')}::json)))`,
    )
    .prepare('movies_by_external_id'),
)

export const findMovieByExternalId: (db: Db, id: string) => Promise<Movie | undefined> = batched(
  async (db, ids: readonly string[]) => {
    const found = await moviesByExternalId(db).execute({ ids: JSON.stringify(ids) })
    return new Map(found.map((movie) => [movie.external_id ?? '', movie]))
  },
)

type Expected = { creatorId?: number | undefined; version?: number | undefined }
const isAs = (id: number, { creatorId, version }: Expected) =>
  and(
    eq(movies.id, id),
    creatorId === undefined ? undefined : eq(movies.createdBy, creatorId),
    version === undefined ? undefined : eq(movies.version, version),
  )

/** Undefined when there is no such movie, or its state isn't the expected one. */
export async function deleteMovie(db: Db, author: Author, id: number, expected: Expected = {}) {
  return db.transaction(async (tx) => {
    const [deleted] = await tx
      .delete(movies)
      .where(isAs(id, expected))
      .returning({ id: movies.id, title: movies.title, year: movies.year })
    if (deleted !== undefined) await recordEvent(tx, author, movieDeleted(deleted))
    return deleted
  })
}

const noSuchUser = { movies_created_by_users_id_fk: () => invalid({ id: NOT_A_USER }) }

/**
 * Gives a movie to another user; undefined when it has changed since it was read. Throws a 422 when the user
 * is gone.
 */
export async function reassignMovie(
  db: Db,
  author: Author,
  movie: Movie,
  to: Creator,
): Promise<Movie | undefined> {
  const { id, createdBy, version } = movie
  try {
    return await db.transaction(async (tx) => {
      const [updated] = await tx
        .update(movies)
        .set({ createdBy: to.id, version: sql`${movies.version} + 1` })
        .where(isAs(id, { creatorId: createdBy.id, version }))
        .returning({ version: movies.version })
      if (updated === undefined) return undefined
      await recordEvent(tx, author, movieReassigned(movie, createdBy, to))
      return { ...movie, ...updated, createdBy: to }
    })
  } catch (error) {
    throw constraintFailure(error, 'movies', noSuchUser)
  }
}

/** A user as the creator of movies. */
export async function findCreator(db: Db, id: number): Promise<Creator | undefined> {
  const [creator] = await db
    .select({ id: users.id, name: users.name, username: users.username })
    .from(users)
    .where(eq(users.id, id))
  return creator
}
