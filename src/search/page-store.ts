import { eq, type SQL, sql } from 'drizzle-orm'
import { builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { unnamed } from '../db/driver'
import { movies, users } from '../db/schema'
import type { Sort } from '../rules/lists'
import { totalsOfSearches } from './cache'
import { countBefore, type Range, type Snapshot, startCondition } from './far-store'
import { conditions, hasFilters, isFavouriteOf, shapeOf } from './filter-store'
import { movieJsonColumn } from './json-store'
import { dependsOnFavourites, type MovieList, type MovieSortKey, type Page } from './query'
import { isShort, matchedBy, wordsBefore } from './relevance-store'
import { knownTotal, versionOfSnapshot } from './version-store'

/**
 * A list that pages are read from: its tables and condition, its total without filters (a scalar) and its sort
 * keys. Its SQL is the same for every reader, known by the name, with `values` for its placeholders.
 */
export type MovieSource<Key extends string> = {
  name: string
  from: SQL
  condition?: SQL
  total: SQL
  /** Whether the list has all movies, so that the counted blocks of ids apply. */
  isWhole: boolean
  sortKeys: Readonly<Record<Key, SQL>>
  /** When a movie was added to the list. */
  addedAt?: SQL
  values?: Readonly<Record<string, unknown>>
}

/** Movies as JSON, and the version of the catalogue that they were read from. */
export type MoviePage = Page<string> & { readonly version: string }

/** Sort keys that may be null. */
const nullableSortKeys: readonly string[] = ['release_date', 'runtime'] satisfies MovieSortKey[]

/** Movies without the key come last in both directions; ties by ascending id. `reversed` counts from the end. */
function orderBy({ key, descending }: Sort<string>, expression: SQL, id: SQL, reversed: boolean): SQL {
  const direction = sql.raw(descending === reversed ? 'asc' : 'desc')
  // Only where nulls occur: an index serves an order only if both treat nulls the same.
  const nulls = sql.raw(nullableSortKeys.includes(key) ? `nulls ${reversed ? 'first' : 'last'}` : '')
  return sql`${expression} ${direction} ${nulls}, ${id} ${sql.raw(reversed ? 'desc' : 'asc')}`
}

// Building a statement takes longer than running it. Further shapes are built for each use, and have no name.
const MAX_STATEMENTS = 150
/** No page has more movies. With a literal limit, a plan for any page size knows that few are wanted. */
const MAX_PAGE = sql.raw('limit 100')

const buildStatement = <Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  { sort, filters, marksFavouritesOf }: MovieList<Key>,
  { reversed, start }: Range,
  isKept: boolean,
) => {
  const { q, ...others } = filters
  const sortKey: SQL | undefined = { ...source.sortKeys, relevance: undefined }[sort.key]
  const given = [source.condition, startCondition(start), ...conditions(others)].filter(
    (condition) => condition !== undefined,
  )
  const where = given.length > 0 ? sql`where ${sql.join(given, sql` and `)}` : sql``
  const { from, addedAt = sql`null` } = source
  const found = sql`select movies.id as movie_id, ${sortKey} as sort_key, ${addedAt} as added_at from ${from} ${where}`
  // Materialized for both count and page, and so that an index on the sort key can't mislead the planner.
  const end = sql`${sql.placeholder('limit')}::bigint + ${sql.placeholder('offset')}::bigint`
  const matched =
    q === undefined
      ? { tables: sql`matched as materialized (${found})`, total: sql`select count(*) from matched` }
      : matchedBy(sql.placeholder('q'), {
          from,
          conditions: given,
          sortKey,
          addedAt,
          end,
          mayFill: isShort(q),
          before: wordsBefore(q) === undefined ? undefined : sql.placeholder('before'),
          knownTotal,
        })
  const range = sql`limit ${sql.placeholder('limit')} offset ${sql.placeholder('offset')}`
  const page = hasFilters(filters)
    ? sql`with ${matched.tables},
        page as (select * from matched order by ${orderBy(sort, sql`sort_key`, sql`movie_id`, reversed)} ${range})`
    : sql`with page as (select * from
        (${found} order by ${orderBy(sort, sortKey ?? movies.id, sql`movies.id`, reversed)} ${range}) as few ${MAX_PAGE})`
  const total = hasFilters(filters) ? matched.total : source.total
  const whole = sql`(${isKept ? sql`` : unnamed}${page} select whole.*, page.*
    from (select (${total}) as total, (${countBefore(start)}) as before, ${versionOfSnapshot} as version) as whole
    left join page on true) as page`
  const more = {
    ...(source.addedAt && {
      favourited_at: sql`to_char(page.added_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
    }),
    ...(marksFavouritesOf !== undefined && { favourite: isFavouriteOf(sql.placeholder('reader')) }),
  }
  return db
    .select({
      total: sql<string>`page.total`,
      before: sql<string>`page.before`,
      version: sql<string>`page.version`,
      json: movieJsonColumn(more),
    })
    .from(whole)
    .leftJoin(movies, sql`${movies.id} = page.movie_id`)
    .leftJoin(users, eq(users.id, movies.createdBy))
    .orderBy(orderBy(sort, sql`page.sort_key`, sql`page.movie_id`, false))
    .prepare('list')
}

type Statement = ReturnType<typeof buildStatement>
const statementsOf = builtOnce(() => new Map<string, Statement>())

function statementFor<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  list: MovieList<Key>,
  range: Range,
): Statement {
  const filters = shapeOf(list.filters)
  const known = statementsOf(db)
  const { sort, marksFavouritesOf } = list
  const { q = '' } = list.filters
  const start = range.start && (range.start.bound === null ? 'first' : 'bound')
  const shape = [
    source.name,
    sort.key,
    sort.descending,
    range.reversed,
    start,
    marksFavouritesOf !== undefined,
    isShort(q),
    wordsBefore(q) !== undefined,
    filters,
  ].join(' ')
  const found = filters === undefined ? undefined : known.get(shape)
  if (found !== undefined) return found
  const isKept = filters !== undefined && known.size < MAX_STATEMENTS
  const statement = buildStatement(db, source, list, range, isKept)
  if (isKept) known.set(shape, statement)
  return statement
}

const totalsOf = builtOnce(() => new Map<string, ReturnType<typeof buildTotal>>())
const buildTotal = (db: Db, total: SQL) =>
  db
    .select({ records: sql<string>`(${total})` })
    .from(sql`(select) as whole`)
    .prepare('total')

/** The total of a list without filters. */
export async function countMovies<Key extends string>(db: Db, source: MovieSource<Key>): Promise<number> {
  const totals = totalsOf(db)
  const statement = totals.get(source.name) ?? buildTotal(db, source.total)
  totals.set(source.name, statement)
  const [found] = await statement.execute(source.values)
  return Number(found?.records ?? 0)
}

/** Counting this many movies takes longer than finding a page of them. */
const MANY = 1000

/** One statement, so that total and page come from one snapshot. */
export async function selectRange<Key extends string>(
  db: Db,
  source: MovieSource<Key>,
  list: MovieList<Key>,
  range: Range,
): Promise<MoviePage & Snapshot> {
  const { limit, offset, start } = range
  const { q } = list.filters
  const totals = totalsOfSearches(db)
  const isCounted = q !== undefined && source.isWhole && !dependsOnFavourites(list)
  const key = isCounted ? JSON.stringify(list.filters) : ''
  const counted = totals.get(key)
  const values = {
    limit,
    offset,
    bound: start?.bound,
    reader: list.marksFavouritesOf,
    before: q === undefined ? undefined : wordsBefore(q),
    counted: counted?.total ?? null,
    countedAt: counted?.version ?? null,
  }
  const rows = await statementFor(db, source, list, range).execute({
    ...source.values,
    ...list.filters,
    ...values,
  })
  const total = Number(rows[0]?.total ?? 0)
  const version = rows[0]?.version ?? ''
  if (isCounted && total >= MANY) totals.set(key, { total, version })
  return {
    total,
    before: Number(rows[0]?.before ?? 0),
    version,
    // A page without movies is one row, with the totals.
    rows: rows.flatMap(({ json }) => json ?? []),
  }
}
