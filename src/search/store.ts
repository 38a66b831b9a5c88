import { eq, type SQL, sql } from 'drizzle-orm'
import { askedOnce } from '../db/batch'
import type { Db } from '../db/client'
import { unnamed } from '../db/driver'
import { favourites, movieCounts, movies, users } from '../db/schema'
import { movieColumns } from '../movies/columns'
import type { Movie } from '../movies/model'
import { fromTheBlock, fromTheEnd, type Range, type Shortcut, type Snapshot } from './far-store'
import { conditions, hasFilters, isFavouriteOf } from './filter-store'
import type { MovieList, MovieSortKey, Page, Sort } from './query'

/** With this many rows to skip, a second round trip to find a shortcut pays off. */
const FAR = 1000
const MAX_TRIES = 3

/**
 * A list that pages are read from: its tables and condition, its total without filters (a scalar), its sort
 * keys, and when each movie was added.
 */
export type MovieSource<Key extends string> = {
  from: SQL
  condition?: SQL
  total: SQL
  /** Whether the list has all movies, so that the counted blocks of ids apply. */
  isWhole: boolean
  sortKeys: Readonly<Record<Key, SQL>>
  addedAt: SQL
}
/** `isFavourite` is null unless the list asks for it. */
export type ListedMovie = { movie: Movie; addedAt: string | null; isFavourite: boolean | null }

export const movieSortKeys: Readonly<Record<MovieSortKey, SQL>> = {
  id: sql`movies.id`,
  title: sql`movies.title collate "und-x-icu"`,
  year: sql`movies.year`,
  runtime: sql`movies.runtime`,
  release_date: sql`movies.release_date`,
}

/** Sort keys that may be null. */
const nullableSortKeys: readonly string[] = ['release_date', 'runtime'] satisfies MovieSortKey[]

/** Movies without the key come last in both directions; ties by ascending id. `reversed` counts from the end. */
function orderBy({ key, descending }: Sort<string>, expression: SQL, id: SQL, reversed: boolean): SQL {
  const direction = sql.raw(descending === reversed ? 'asc' : 'desc')
  // Only where nulls occur: an index serves an order only if both treat nulls the same.
  const nulls = sql.raw(nullableSortKeys.includes(key) ? `nulls ${reversed ? 'first' : 'last'}` : '')
  return sql`${expression} ${direction} ${nulls}, ${id} ${sql.raw(reversed ? 'desc' : 'asc')}`
}

/** One statement, so that total and page come from one snapshot. */
async function selectRange<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  { sort, filters, favouriteOf }: MovieList<Key>,
  { reversed, limit, offset, start }: Range,
): Promise<Page<ListedMovie> & Snapshot> {
  const sortKey = source.sortKeys[sort.key]
  const given = [source.condition, start?.condition, ...conditions(filters)].filter(
    (condition) => condition !== undefined,
  )
  const where = given.length > 0 ? sql`where ${sql.join(given, sql` and `)}` : sql``
  const found = sql`select movies.id as movie_id, ${sortKey} as sort_key, ${source.addedAt} as added_at
      from ${source.from} ${where}`
  const range = sql`limit ${limit} offset ${offset}`
  const page = hasFilters(filters)
    ? // Materialized for both count and page, and so that an index on the sort key can't mislead the planner.
      sql`${unnamed}with matched as materialized (${found}),
        page as (select * from matched order by ${orderBy(sort, sql`sort_key`, sql`movie_id`, reversed)} ${range})`
    : sql`with page as (${found} order by ${orderBy(sort, sortKey, sql`movies.id`, reversed)} ${range})`
  const total = hasFilters(filters) ? sql`select count(*) from matched` : source.total
  const whole = sql`(${page} select whole.total, whole.before, page.*
    from (select (${total}) as total, (${start?.before ?? sql`0`}) as before) as whole
    left join page on true) as page`
  const rows = await db
    .select({
      total: sql<string>`page.total`,
      before: sql<string>`page.before`,
      addedAt: sql<string | null>`page.added_at`,
      isFavourite: favouriteOf === undefined ? sql<null>`null` : sql<boolean>`${isFavouriteOf(favouriteOf)}`,
      ...movieColumns,
    })
    .from(whole)
    .leftJoin(movies, sql`${movies.id} = page.movie_id`)
    .leftJoin(users, eq(users.id, movies.createdBy))
    .orderBy(orderBy(sort, sql`page.sort_key`, sql`page.movie_id`, false))
  return {
    total: Number(rows[0]?.total ?? 0),
    before: Number(rows[0]?.before ?? 0),
    rows: rows.flatMap(({ total, before, addedAt, isFavourite, ...movie }) =>
      isThere(movie) ? [{ movie, addedAt, isFavourite }] : [],
    ),
  }
}

type Joined<Row> = { [Key in keyof Row]: Row[Key] | null }
/** A page without movies is one row, with the totals. */
const isThere = (movie: Joined<Movie>): movie is Movie => movie.id !== null

export async function listPage<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  list: MovieList<Key>,
): Promise<Page<ListedMovie>> {
  const limit = list.pageSize
  const offset = (list.page - 1) * limit
  const isFar = offset >= FAR && !hasFilters(list.filters)
  for (let tries = 0; isFar && tries < MAX_TRIES; tries++) {
    const shortcut = await findShortcut(db, source, list.sort, { limit, offset })
    if (shortcut === undefined) break
    const page = await selectRange(db, source, list, shortcut.range)
    if (shortcut.holds(page)) return page
    // Movies were added or removed in between, so it was another page.
  }
  return selectRange(db, source, list, { reversed: false, limit, offset })
}

const findShortcut = <Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  sort: Sort<Key>,
  wanted: { limit: number; offset: number },
): Promise<Shortcut | undefined> =>
  source.isWhole && sort.key === 'id' ? fromTheBlock(db, sort, wanted) : fromTheEnd(db, source.total, wanted)

const allMovies = {
  from: sql`${movies}`,
  total: sql`select coalesce(sum(${movieCounts.movies}), 0)::bigint from ${movieCounts}`,
  isWhole: true,
  sortKeys: movieSortKeys,
  addedAt: sql`null::timestamptz`,
}

/** Counted without reading them: they are nearly all movies. */
const moviesExceptFavourites = (userId: number) => ({
  ...allMovies,
  condition: sql`not ${isFavouriteOf(userId)}`,
  total: sql`(${allMovies.total}) - (select count(*) from ${favourites} where ${favourites.userId} = ${userId})`,
  isWhole: false,
})

export const listMovies: (db: Db, list: MovieList<MovieSortKey>) => Promise<Page<ListedMovie>> = askedOnce(
  (db, list: MovieList<MovieSortKey>) => {
    const { favourite, ...others } = list.filters
    if (favourite === undefined || favourite.isOne || hasFilters(others)) return listPage(db, allMovies, list)
    return listPage(db, moviesExceptFavourites(favourite.userId), { ...list, filters: {} })
  },
)
