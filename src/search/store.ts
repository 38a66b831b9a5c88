import { availableParallelism } from 'node:os'
import { sql } from 'drizzle-orm'
import { builtOnce } from '../db/batch'
import { type Db, requestTimeouts } from '../db/client'
import { tooLate } from '../db/errors'
import { favourites, movieCounts, movies } from '../db/schema'
import { createGate } from '../gate'
import type { Sort } from '../rules/lists'
import { fromTheBlock, fromTheEnd, type Shortcut } from './far-store'
import { hasFilters, isFavouriteOf } from './filter-store'
import { countMovies, type MoviePage, type MovieSource, selectRange } from './page-store'
import type { MovieList, MovieSortKey } from './query'

/** With this many rows to skip, a second round trip to find a shortcut pays off. */
const FAR = 1000
const MAX_TRIES = 3

export const movieSortKeys = {
  id: sql`movies.id`,
  title: sql`movies.title collate "und-x-icu"`,
  year: sql`movies.year`,
  runtime: sql`movies.runtime`,
  release_date: sql`movies.release_date`,
} satisfies Record<MovieSortKey, unknown>

/** A hundred movies can be 12 MB, which keep this process and the database busy for 200 ms; 20 are 2 MB at most. */
const FEW = 20
const gateOf = (concurrency: number, ofClient: number) =>
  createGate({
    concurrency,
    perClient: { all: ofClient, writes: ofClient },
    maxWaiting: 1000,
    maxWaitMs: requestTimeouts.queryMs,
    refusal: tooLate,
  })
const largePages = gateOf(4, 1)
/** Some take a hundred times as long as others, and all wait for them if there are many more than processors. */
const MAX_TYPED = availableParallelism() + 1
const typedSearches = builtOnce(() => gateOf(MAX_TYPED, Math.ceil(MAX_TYPED / 2)))

/** A page of a list, each movie as JSON. A client's large pages are read in turn, so that a burst doesn't slow others. */
export function listPage<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  list: MovieList<Key>,
): Promise<MoviePage> {
  const page = () => selectPage(db, source, list)
  const inTurn = list.filters.q === undefined ? page : () => typedSearches(db).run(page)
  return list.pageSize <= FEW ? inTurn() : largePages.run(inTurn)
}

async function selectPage<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  list: MovieList<Key>,
): Promise<MoviePage> {
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

async function findShortcut<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  sort: Sort<string>,
  wanted: { limit: number; offset: number },
): Promise<Shortcut | undefined> {
  if (source.isWhole && sort.key === 'id') return fromTheBlock(db, sort, wanted)
  return fromTheEnd(await countMovies(db, source), wanted)
}

const allMovies = {
  name: 'movies',
  from: sql`${movies}`,
  total: sql`select coalesce(sum(${movieCounts.movies}), 0)::bigint from ${movieCounts}`,
  isWhole: true,
  sortKeys: movieSortKeys,
}

const owner = sql.placeholder('owner')
/** Counted without reading them: they are nearly all movies. */
const moviesExceptFavourites = (userId: number) => ({
  ...allMovies,
  name: 'others',
  condition: sql`not ${isFavouriteOf(owner)}`,
  total: sql`(${allMovies.total}) - (select count(*) from ${favourites} where ${favourites.userId} = ${owner})`,
  isWhole: false,
  values: { owner: userId },
})

export function listMovies(db: Db, list: MovieList<MovieSortKey>): Promise<MoviePage> {
  const { notFavouriteOf, ...filters } = list.filters
  if (notFavouriteOf === undefined || hasFilters(filters)) return listPage(db, allMovies, list)
  return listPage(db, moviesExceptFavourites(notFavouriteOf), { ...list, filters: {} })
}
