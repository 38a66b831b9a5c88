import { eq, sql } from 'drizzle-orm'
import { askedOnce, batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { movies, users } from '../db/schema'
import { movieColumns } from '../movies/columns'
import type { Movie } from '../movies/model'
import { titleHasWords } from '../search/filter-store'

const PAGE_SIZE = 10
/** A literal, so that a plan for any text knows that few are wanted. */
const PAGE = sql.raw(String(PAGE_SIZE))

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

type Title = { readonly text: string; readonly year: number | undefined }

const text = sql.placeholder('text')
/**
 * The movies with all the words, and what orders them: the text itself, the fewest words, the newest. Words are
 * compared in their order only where there are as many, since that takes longer than all the rest; the
 * subqueries run once.
 */
const matches = (hasYear: boolean) => sql`
  select id, length(title_words) as words, year,
    case when length(title_words) = (select length(search_words(${text})))
      then search_list(title) = (select search_list(${text})) else false end as is_same
  from ${movies} where ${titleHasWords(text)} ${hasYear ? sql`and year = ${sql.placeholder('year')}` : sql``}`
const ORDER = sql`is_same desc, words, year desc, id`

const buildBest = (db: Db, hasYear: boolean) =>
  db
    .select(movieColumns)
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(sql`${movies.id} = (select id from (${matches(hasYear)}) as matched order by ${ORDER} limit 1)`)
    .prepare('movie_by_title')
const bestByTitle = builtOnce((db) => buildBest(db, false))
const bestByTitleAndYear = builtOnce((db) => buildBest(db, true))

/** The best of the matches. */
export const findMovieByTitle: (db: Db, title: Title) => Promise<Movie | undefined> = askedOnce(
  async (db, title: Title) => {
    const best = title.year === undefined ? bestByTitle(db) : bestByTitleAndYear(db)
    const [movie] = await best.execute(title)
    return movie
  },
)

export type Found = Pick<Movie, 'id' | 'title' | 'year' | 'imdb_id' | 'poster'>
type Page = { readonly rows: readonly Found[]; readonly total: number; readonly hasWords: boolean }

/** The total, and a page's movies; a page without movies is one row, with the total. */
const buildSearch = (db: Db, hasYear: boolean) =>
  db
    .select({
      total: sql<string>`page.total`,
      hasWords: sql<boolean>`page.has_words`,
      movie: {
        id: movies.id,
        title: movies.title,
        year: movies.year,
        imdb_id: movies.imdb_id,
        poster: movies.poster,
      },
    })
    .from(
      sql`(with matched as materialized (${matches(hasYear)}),
        page as (select * from matched order by ${ORDER} limit ${PAGE} offset ${sql.placeholder('offset')})
      select whole.*, page.* from (select (select count(*) from matched) as total,
        coalesce(numnode(search_query(${text})) > 0, false) as has_words) as whole left join page on true) as page`,
    )
    .leftJoin(movies, sql`${movies.id} = page.id`)
    .orderBy(sql`page.is_same desc, page.words, page.year desc, page.id`)
    .prepare('omdb_search')
const search = builtOnce((db) => buildSearch(db, false))
const searchInYear = builtOnce((db) => buildSearch(db, true))

/** A page of the matches, and their number, from one snapshot. */
export const searchTitles: (db: Db, wanted: Title & { page: number }) => Promise<Page> = askedOnce(
  async (db, wanted: Title & { page: number }) => {
    const statement = wanted.year === undefined ? search(db) : searchInYear(db)
    const rows = await statement.execute({ ...wanted, offset: (wanted.page - 1) * PAGE_SIZE })
    return {
      rows: rows.flatMap(({ movie }) => movie ?? []),
      total: Number(rows[0]?.total ?? 0),
      hasWords: rows[0]?.hasWords ?? false,
    }
  },
)
