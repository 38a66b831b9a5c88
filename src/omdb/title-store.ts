import { eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { askedOnce, batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { movies, users } from '../db/schema'
import { movieColumns } from '../movies/columns'
import type { Movie } from '../movies/model'
import { titleHasWords } from '../search/filter-store'

export type Title = { readonly text: string; readonly year: number | undefined }

/** What is matched: a text, perhaps in a year. */
type Wanted = { readonly text: SQL | Placeholder; readonly inYear: SQL }
export const wanted = (hasYear: boolean): Wanted => ({
  text: sql.placeholder('text'),
  inYear: hasYear ? sql`and year = ${sql.placeholder('year')}` : sql``,
})

/**
 * The movies with all the words, and what orders them: the text itself, the fewest words, the newest. Words are
 * compared in their order only where there are as many, since that takes longer than all the rest; the
 * subqueries run once.
 */
export const matches = ({ text, inYear }: Wanted) => sql`
  select id, length(title_words) as words, year,
    case when length(title_words) = (select length(search_words(${text})))
      then search_list(title) = (select search_list(${text})) else false end as is_same
  from ${movies} where ${titleHasWords(text)} ${inYear}`
export const ORDER = sql`is_same desc, words, year desc, id`

/** A title with this many matches is looked for by itself, so that others need not wait for it. */
const MANY = sql.raw('200')
const each: Wanted = {
  text: sql`asked.text`,
  inYear: sql`and (asked.year is null or movies.year = asked.year)`,
}

const bestOfFew = builtOnce((db) =>
  db
    .select({
      place: sql<number>`found.place`,
      hasMany: sql<boolean>`found.has_many`,
      ...movieColumns,
    })
    .from(
      sql`(select asked.place, best.*
        from json_to_recordset(${sql.placeholder('asked')}::json) as asked (place int, text text, year int)
        cross join lateral (
          select (array_agg(id order by ${ORDER}))[1] as id, count(*) = ${MANY} as has_many
          from (${matches(each)} limit ${MANY}) as matched) as best) as found`,
    )
    .innerJoin(movies, sql`${movies.id} = found.id`)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .prepare('movies_by_title'),
)

const HAS_MANY = Symbol('many movies match')

/** Titles of several callers in one statement; a key is a Title as JSON. */
const findOfFew: (db: Db, key: string) => Promise<Movie | typeof HAS_MANY | undefined> = batched(
  async (db, keys: readonly string[]) => {
    const asked = keys.map((key, place) => ({ ...JSON.parse(key), place }))
    const found = await bestOfFew(db).execute({ asked: JSON.stringify(asked) })
    return new Map(
      found.map(({ place, hasMany, ...movie }) => [keys[place] ?? '', hasMany ? HAS_MANY : movie]),
    )
  },
)

const buildBest = (db: Db, hasYear: boolean) =>
  db
    .select(movieColumns)
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(
      sql`${movies.id} = (select id from (${matches(wanted(hasYear))}) as matched order by ${ORDER} limit 1)`,
    )
    .prepare('movie_by_title')
const bestOfAll = builtOnce((db) => buildBest(db, false))
const bestInYear = builtOnce((db) => buildBest(db, true))

const findOfMany: (db: Db, title: Title) => Promise<Movie | undefined> = askedOnce(
  async (db, title: Title) => {
    const best = title.year === undefined ? bestOfAll(db) : bestInYear(db)
    const [movie] = await best.execute(title)
    return movie
  },
)

/** The best of the matches. */
export async function findMovieByTitle(db: Db, { text, year }: Title): Promise<Movie | undefined> {
  const best = await findOfFew(db, JSON.stringify({ text, year }))
  return best === HAS_MANY ? findOfMany(db, { text, year }) : best
}
