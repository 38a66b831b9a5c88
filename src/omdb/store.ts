import { eq, sql } from 'drizzle-orm'
import { askedOnce, batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { movies, users } from '../db/schema'
import { movieColumns } from '../movies/columns'
import type { Movie } from '../movies/model'
import { versionOfSnapshot } from '../search/version-store'
import { matchesOf, type Title } from './title-store'

const moviesByImdbId = builtOnce((db) =>
  db
    .select(movieColumns)
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(sql`${movies.imdb_id} = any(${sql.placeholder('ids')}::text[])`)
    .prepare('movies_by_imdb_id'),
)

/** By an id in the form in which it is stored. */
export const findMovieByImdbId: (db: Db, id: string) => Promise<Movie | undefined> = batched(
  async (db, ids: readonly string[]) => {
    const found = await moviesByImdbId(db).execute({ ids: `{${ids.join()}}` })
    return new Map(found.map((movie) => [movie.imdb_id ?? '', movie]))
  },
)

const PAGE_SIZE = 10
/** A literal, so that a plan for any text knows that few are wanted. */
const LIMIT = sql.raw(`limit ${PAGE_SIZE}`)

export type Found = Pick<Movie, 'id' | 'title' | 'year' | 'imdb_id' | 'poster'>
type Page = { readonly rows: readonly Found[]; readonly total: number; readonly version: string }
export type Search = Title & { readonly page: number }

/** The total, and a page's movies; a page without movies is one row, with the total. */
const buildSearch = (db: Db, hasYear: boolean) =>
  db
    .select({
      total: sql<string>`page.total`,
      version: versionOfSnapshot,
      movie: {
        id: movies.id,
        title: movies.title,
        year: movies.year,
        imdb_id: movies.imdb_id,
        poster: movies.poster,
      },
    })
    .from(
      sql`(with ranked as materialized (${matchesOf(hasYear)}),
        page as (select * from ranked order by rank, id ${LIMIT} offset ${sql.placeholder('offset')})
        select whole.total, page.* from (select (select count(*) from ranked) as total) as whole
        left join page on true) as page`,
    )
    .leftJoin(movies, sql`${movies.id} = page.id`)
    .orderBy(sql`page.rank, page.id`)
    .prepare('search_titles')
const searchAll = builtOnce((db) => buildSearch(db, false))
const searchYear = builtOnce((db) => buildSearch(db, true))

/** A page of the matches, and their number, from one snapshot. */
export const searchTitles: (db: Db, search: Search) => Promise<Page> = askedOnce(
  async (db, { text, year, page }: Search) => {
    const statement = year === undefined ? searchAll(db) : searchYear(db)
    const rows = await statement.execute({ text, year, offset: (page - 1) * PAGE_SIZE })
    return {
      rows: rows.flatMap(({ movie }) => movie ?? []),
      total: Number(rows[0]?.total ?? 0),
      version: rows[0]?.version ?? '',
    }
  },
)
