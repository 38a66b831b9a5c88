import { and, eq, sql } from 'drizzle-orm'
import { batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { constraintFailure } from '../db/errors'
import { movies, users } from '../db/schema'
import { Failure } from '../errors'
import { movieColumns } from './columns'
import type { Movie } from './model'

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

/** False when there is no such movie, or its state isn't the expected one. */
export async function deleteMovie(
  db: Db,
  id: number,
  expected: { creatorId?: number; version?: number } = {},
): Promise<boolean> {
  const { creatorId, version } = expected
  const deleted = await db
    .delete(movies)
    .where(
      and(
        eq(movies.id, id),
        creatorId === undefined ? undefined : eq(movies.createdBy, creatorId),
        version === undefined ? undefined : eq(movies.version, version),
      ),
    )
    .returning({ id: movies.id })
  return deleted.length > 0
}

const noSuchUser = { movies_created_by_users_id_fk: () => new Failure('notFound') }

/** Gives a movie to another user; false when there is no such movie. Throws a 404 when there is no such user. */
export async function assignMovie(db: Db, id: number, userId: number): Promise<boolean> {
  try {
    const assigned = await db
      .update(movies)
      .set({ createdBy: userId, version: sql`${movies.version} + 1` })
      .where(eq(movies.id, id))
      .returning({ id: movies.id })
    return assigned.length > 0
  } catch (error) {
    throw constraintFailure(error, 'movies', noSuchUser)
  }
}
