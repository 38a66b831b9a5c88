import { and, eq, sql } from 'drizzle-orm'
import { batched } from '../db/batch'
import type { Db } from '../db/client'
import { refusal } from '../db/database-errors'
import { builtOnce } from '../db/prepared'
import { movieCounts, movies, users } from '../db/schema'
import { Failure, invalid } from '../errors'
import type { MovieList, MovieSortKey, Page } from './list-model'
import { type ListedMovie, listPage, movieSortKeys } from './list-store'
import type { Creator, Movie, MovieContent } from './model'

const refusals = {
  movies_title_key: () => invalid({ title: 'a movie with this title already exists' }),
  // The account went while its token was still believed.
  movies_created_by_users_id_fk: () => new Failure('invalidAuthenticationToken'),
}

// Arrays as JSON: Drizzle's own reader of arrays drops the backslashes in them.
const columns = {
  id: movies.id,
  title: movies.title,
  year: movies.year,
  runtime: movies.runtime,
  genres: sql<string[]>`to_json(${movies.genres})`,
  director: movies.director,
  cast: sql<string[] | null>`to_json(${movies.cast})`,
  releaseDate: movies.releaseDate,
  synopsis: movies.synopsis,
  createdBy: { id: users.id, name: users.name, username: users.username },
  version: movies.version,
}

const moviesById = builtOnce((db) =>
  db
    .select(columns)
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

/** Throws a 422 when the title is taken. */
export async function insertMovie(db: Db, content: MovieContent, creator: Creator): Promise<Movie> {
  try {
    const [inserted] = await db
      .insert(movies)
      .values({ ...content, createdBy: creator.id })
      .returning({ id: movies.id, version: movies.version })
    if (inserted === undefined) throw new Error('the insert returned no row')
    const { id, name, username } = creator
    return { ...content, ...inserted, createdBy: { id, name, username } }
  } catch (error) {
    throw refusal(error, 'movies', refusals)
  }
}

/** Undefined when the film is no longer at the version that was read. */
export async function updateMovie(
  db: Db,
  movie: Movie,
  changes: Partial<MovieContent>,
): Promise<Movie | undefined> {
  try {
    const [updated] = await db
      .update(movies)
      .set({ ...changes, version: sql`${movies.version} + 1` })
      .where(and(eq(movies.id, movie.id), eq(movies.version, movie.version)))
      .returning({ version: movies.version })
    return updated && { ...movie, ...changes, ...updated }
  } catch (error) {
    throw refusal(error, 'movies', refusals)
  }
}

/** False when there is no such film, or not at that version. */
export async function deleteMovie(db: Db, id: number, version?: number): Promise<boolean> {
  const deleted = await db
    .delete(movies)
    .where(and(eq(movies.id, id), version === undefined ? undefined : eq(movies.version, version)))
    .returning({ id: movies.id })
  return deleted.length > 0
}

const allMovies = {
  from: sql`${movies}`,
  total: sql`select sum(${movieCounts.movies})::bigint from ${movieCounts}`,
  sortKeys: movieSortKeys,
  addedAt: sql`null::timestamptz`,
}

export const listMovies = (db: Db, list: MovieList<MovieSortKey>): Promise<Page<ListedMovie>> =>
  listPage(db, allMovies, list)

/** Makes a film another user's; false when there is no such film. */
export async function assignMovie(db: Db, id: number, userId: number): Promise<boolean> {
  const assigned = await db
    .update(movies)
    .set({ createdBy: userId, version: sql`${movies.version} + 1` })
    .where(eq(movies.id, id))
    .returning({ id: movies.id })
  return assigned.length > 0
}
