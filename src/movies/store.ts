import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { askedOnce, batched, writtenTogether } from '../db/batch'
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

/** What of a film is written, by the names that it has in `MovieContent`. */
const content = {
  title: movies.title,
  year: movies.year,
  runtime: movies.runtime,
  genres: movies.genres,
  director: movies.director,
  cast: movies.cast,
  releaseDate: movies.releaseDate,
  synopsis: movies.synopsis,
} satisfies Record<keyof MovieContent, PgColumn>
type Column = keyof typeof content
const isColumn = (name: string): name is Column => name in content

const listed = (parts: readonly SQL[]) => sql.join([...parts], sql`, `)
const names = (columns: Columns) =>
  listed(Object.values(columns).map(({ name }) => sql`${sql.identifier(name)}`))
type Columns = Readonly<Record<string, PgColumn>>

/** Rows as one parameter, however many they are: JSON objects whose keys are those of the columns. */
function sent(columns: Columns, rows: readonly unknown[]): SQL {
  const typed = Object.entries(columns).map(
    ([key, column]) => sql`${sql.identifier(key)} ${sql.raw(column.getSQLType())}`,
  )
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as sent (${listed(typed)})`
}

type Insertion = MovieContent & { createdBy: number }
type Inserted = { id: number; version: number }
const inserted = { ...content, createdBy: movies.createdBy }

const insertTogether = writtenTogether<Insertion, Inserted>(async (db, rows) => {
  // In one order, so that two statements never wait for each other in turn.
  const ordered = rows.toSorted((a, b) => (a.title < b.title ? -1 : 1))
  const returned = await db.execute<{ id: string; title: string; version: number }>(sql`
    insert into ${movies} (${names(inserted)}) select sent.* from ${sent(inserted, ordered)}
    returning id, title, version`)
  const byTitle = new Map(returned.map(({ id, title, version }) => [title, { id: Number(id), version }]))
  return rows.map(({ title }) => byTitle.get(title))
})

/** Throws a 422 when the title is taken. */
export async function insertMovie(db: Db, movie: MovieContent, creator: Creator): Promise<Movie> {
  try {
    const written = await insertTogether(db, { ...movie, createdBy: creator.id })
    if (written === undefined) throw new Error('the insert returned no row')
    const { id, name, username } = creator
    return { ...movie, ...written, createdBy: { id, name, username } }
  } catch (error) {
    throw refusal(error, 'movies', refusals)
  }
}

type Update = Partial<MovieContent> & { id: number; version: number }

function updateTogether(changed: readonly Column[]) {
  const set = listed(
    changed.map((key) => sql`${sql.identifier(content[key].name)} = sent.${sql.identifier(key)}`),
  )
  const columns = {
    ...Object.fromEntries(changed.map((key) => [key, content[key]])),
    id: movies.id,
    version: movies.version,
    place: movies.version,
  }
  return writtenTogether<Update, { version: number }>(async (db, rows) => {
    const placed = rows.map((row, place) => ({ ...row, place }))
    // A film that somebody else holds is left out, and waited for alone.
    const free = sql`with free as materialized (
      select id from ${movies} where id = any(${`{${rows.map(({ id }) => id).join()}}`}::bigint[])
      for no key update skip locked) `
    const returned = await db.execute<{
      place: number
      version: number
    }>(sql`${rows.length > 1 ? free : sql``}
      update ${movies} set ${set}, version = ${movies.version} + 1
      from ${sent(columns, placed)}
      where ${movies.id} = sent.id and ${movies.version} = sent.version
        ${rows.length > 1 ? sql`and ${movies.id} in (select id from free)` : sql``}
      returning sent.place, ${movies.version}`)
    const versions: ({ version: number } | undefined)[] = rows.map(() => undefined)
    for (const { place, version } of returned) versions[place] = { version }
    return versions
  })
}

/** By the columns that they change, of which there are few enough to keep a statement for each. */
const updates = new Map<string, ReturnType<typeof updateTogether>>()

function updateOf(changes: Partial<MovieContent>) {
  const changed = Object.keys(changes).filter(isColumn).sort()
  const update = updates.get(changed.join()) ?? updateTogether(changed)
  updates.set(changed.join(), update)
  return update
}

/** Undefined when the film is no longer at the version that was read. */
export async function updateMovie(
  db: Db,
  movie: Movie,
  changes: Partial<MovieContent>,
): Promise<Movie | undefined> {
  try {
    const { id, version } = movie
    const updated = await updateOf(changes)(db, { ...changes, id, version })
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
