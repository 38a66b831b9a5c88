import { and, eq, sql } from 'drizzle-orm'
import { makePgArray } from 'drizzle-orm/pg-core'
import { askedOnce, batched } from '../db/batch'
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

// Drizzle knows how to write a list that is there, not one that is null.
const list = (name: string) => sql`${sql.placeholder(name)}::text[]`

/** What stands for each column of a film in a statement that is built once. */
const placeholders = {
  title: sql.placeholder('title'),
  year: sql.placeholder('year'),
  runtime: sql.placeholder('runtime'),
  genres: list('genres'),
  director: sql.placeholder('director'),
  cast: list('cast'),
  releaseDate: sql.placeholder('releaseDate'),
  synopsis: sql.placeholder('synopsis'),
} satisfies Record<keyof MovieContent, unknown>

/** Lists as PostgreSQL writes them. */
function driverValues(content: Partial<MovieContent>): Record<string, unknown> {
  const values: Record<string, unknown> = { ...content }
  if (content.genres) values.genres = makePgArray(content.genres)
  if (content.cast) values.cast = makePgArray(content.cast)
  return values
}

const insertion = builtOnce((db) =>
  db
    .insert(movies)
    .values({ ...placeholders, createdBy: sql.placeholder('createdBy') })
    .returning({ id: movies.id, version: movies.version })
    .prepare('insert_movie'),
)

/** Throws a 422 when the title is taken. */
export async function insertMovie(db: Db, content: MovieContent, creator: Creator): Promise<Movie> {
  try {
    const [inserted] = await insertion(db).execute({ ...driverValues(content), createdBy: creator.id })
    if (inserted === undefined) throw new Error('the insert returned no row')
    const { id, name, username } = creator
    return { ...content, ...inserted, createdBy: { id, name, username } }
  } catch (error) {
    throw refusal(error, 'movies', refusals)
  }
}

type Column = keyof typeof placeholders
const isColumn = (name: string): name is Column => name in placeholders

const update = (db: Db, changed: readonly Column[]) =>
  db
    .update(movies)
    .set({
      ...Object.fromEntries(changed.map((column) => [column, placeholders[column]])),
      version: sql`${movies.version} + 1`,
    })
    .where(and(eq(movies.id, sql.placeholder('id')), eq(movies.version, sql.placeholder('readVersion'))))
    .returning({ version: movies.version })
    .prepare(`update_movie_${changed.join('_')}`)

/** By the columns that they change, of which there are few enough to keep a statement for each. */
const updates = builtOnce((db) => {
  const built = new Map<string, ReturnType<typeof update>>()
  return (changes: Partial<MovieContent>) => {
    const changed = Object.keys(changes).filter(isColumn).sort()
    const statement = built.get(changed.join()) ?? update(db, changed)
    built.set(changed.join(), statement)
    return statement
  }
})

/** Undefined when the film is no longer at the version that was read. */
export async function updateMovie(
  db: Db,
  movie: Movie,
  changes: Partial<MovieContent>,
): Promise<Movie | undefined> {
  try {
    const values = { ...driverValues(changes), id: movie.id, readVersion: movie.version }
    const [updated] = await updates(db)(changes).execute(values)
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
  total: sql`select coalesce(sum(${movieCounts.movies}), 0)::bigint from ${movieCounts}`,
  isWhole: true,
  sortKeys: movieSortKeys,
  addedAt: sql`null::timestamptz`,
}

export const listMovies: (db: Db, list: MovieList<MovieSortKey>) => Promise<Page<ListedMovie>> = askedOnce(
  (db, list: MovieList<MovieSortKey>) => listPage(db, allMovies, list),
)

/** Makes a film another user's; false when there is no such film. */
export async function assignMovie(db: Db, id: number, userId: number): Promise<boolean> {
  const assigned = await db
    .update(movies)
    .set({ createdBy: userId, version: sql`${movies.version} + 1` })
    .where(eq(movies.id, id))
    .returning({ id: movies.id })
  return assigned.length > 0
}
