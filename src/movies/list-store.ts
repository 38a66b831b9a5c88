import { type SQL, sql } from 'drizzle-orm'
import type { Db } from '../db/client'
import { manyShapes } from '../db/prepared'
import { movies, users } from '../db/schema'
import type { MovieFilters, MovieList, MovieSortKey, Page, Sort } from './list-model'
import type { Movie } from './model'

/**
 * A list to take a page of: where its films come from, how many records there are in all, in which order they
 * stand, and when each was added to it.
 */
export type MovieSource = { from: SQL; total: SQL; order: SQL; addedAt: SQL }
export type ListedMovie = { movie: Movie; addedAt: string | null }

type Row = Record<string, unknown> & {
  total: string
  id: string | null
  title: string
  year: number
  runtime: number
  genres: string[]
  director: string | null
  cast: string[] | null
  releaseDate: string | null
  synopsis: string | null
  version: number
  creatorId: string
  creatorName: string
  creatorUsername: string | null
  addedAt: string | null
}

/** The conditions of the filters that are given: a filter that isn't leaves no trace in the plan. */
export function conditions(filters: MovieFilters): SQL {
  const { title, genres, director, cast, year, releaseDate, releaseDateFrom, releaseDateTo, createdBy } =
    filters
  const given = [
    title !== undefined && sql`${movies.titleWords} @@ search_query(${title})`,
    genres !== undefined &&
      sql`${movies.genreKeys} @> genre_keys(${sql.param(genres, movies.genres)}::text[])`,
    director !== undefined && sql`${movies.directorWords} @@ search_query(${director})`,
    cast !== undefined && sql`${movies.castWords} @@ search_query(${cast})`,
    year !== undefined && sql`${movies.year} = ${year}`,
    releaseDate !== undefined && sql`${movies.releaseDate} = ${releaseDate}`,
    releaseDateFrom !== undefined && sql`${movies.releaseDate} >= ${releaseDateFrom}`,
    releaseDateTo !== undefined && sql`${movies.releaseDate} <= ${releaseDateTo}`,
    createdBy !== undefined && sql`${movies.createdBy} = ${createdBy}`,
  ].filter((condition) => condition !== false)
  return given.length === 0 ? sql`` : sql` where ${sql.join(given, sql` and `)}`
}

export const hasFilters = (filters: MovieFilters) =>
  Object.values(filters).some((value) => value !== undefined)

const sortColumns: Record<MovieSortKey, SQL> = {
  id: sql`movies.id`,
  title: sql`movies.title collate "und-x-icu"`,
  year: sql`movies.year`,
  runtime: sql`movies.runtime`,
  release_date: sql`movies.release_date`,
}

/** Films without a release date come last in both directions; ties go by ascending id. */
export function movieOrder({ key, descending }: Sort<MovieSortKey>): SQL {
  const direction = descending ? sql`desc` : sql`asc`
  const nulls = key === 'release_date' ? sql` nulls last` : sql``
  const tie = key === 'id' ? sql`` : sql`, movies.id`
  return sql`${sortColumns[key]} ${direction}${nulls}${tie}`
}

/** One statement, so that the total and the page are of one snapshot. */
export async function selectPage<T extends string>(
  db: Db,
  source: MovieSource,
  list: Pick<MovieList<T>, 'filters' | 'page' | 'pageSize'>,
): Promise<Page<ListedMovie>> {
  const { filters, page, pageSize } = list
  const rows = await db.execute<Row>(sql`${hasFilters(filters) ? manyShapes : sql``}
    with page as (
      select row_number() over (order by ${source.order}) as place, movies.*,
        ${source.addedAt} as added_at
      from ${source.from}${conditions(filters)}
      order by ${source.order} limit ${pageSize} offset ${(page - 1) * pageSize}
    )
    select total.records as total, page.id, page.title, page.year, page.runtime, to_json(page.genres) as genres,
      page.director, to_json(page.cast) as cast, page.release_date as "releaseDate", page.synopsis, page.version,
      ${users.id} as "creatorId", ${users.name} as "creatorName", ${users.username} as "creatorUsername",
      page.added_at as "addedAt"
    from (${source.total}) as total
    left join page on true left join ${users} on ${users.id} = page.created_by
    order by page.place`)
  return {
    total: Number(rows[0]?.total ?? 0),
    rows: rows.filter(({ id }) => id !== null).map((row) => ({ movie: toMovie(row), addedAt: row.addedAt })),
  }
}

function toMovie({ id, creatorId, creatorName, creatorUsername, version, ...content }: Row): Movie {
  const { title, year, runtime, genres, director, cast, releaseDate, synopsis } = content
  return {
    ...{ title, year, runtime, genres, director, cast, releaseDate, synopsis, version },
    id: Number(id),
    createdBy: { id: Number(creatorId), name: creatorName, username: creatorUsername },
  }
}

/** The filters without those whose text holds no word at all, or undefined when every text holds one. */
export async function withoutWordlessTexts(db: Db, filters: MovieFilters): Promise<MovieFilters | undefined> {
  const { title, director, cast, ...others } = filters
  const hasWords = (text: string | undefined) =>
    sql`coalesce(numnode(search_query(${text ?? null}::text)) > 0, false)`
  const [found] = await db.execute<{ title: boolean; director: boolean; cast: boolean }>(
    sql`select ${hasWords(title)} as title, ${hasWords(director)} as director, ${hasWords(cast)} as "cast"`,
  )
  const kept: MovieFilters = { ...others }
  if (found?.title) kept.title = title
  if (found?.director) kept.director = director
  if (found?.cast) kept.cast = cast
  const dropped = kept.title !== title || kept.director !== director || kept.cast !== cast
  return dropped ? kept : undefined
}
