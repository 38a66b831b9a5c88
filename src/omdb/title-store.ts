import { eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { askedOnce, batched, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { movies, users } from '../db/schema'
import { movieColumns } from '../movies/columns'
import type { Movie } from '../movies/model'
import { titleHasWords } from '../search/filter-store'
import { versionOfSnapshot } from '../search/version-store'

/** A movie, and the version of the catalogue that it was read from. */
type Best = { readonly movie: Movie; readonly version: string }
export type Title = { readonly text: string; readonly year: number | undefined }

/**
 * The movies with all the words of a text, and their rank: the text itself first, then those with the fewest words,
 * then the newest. One number, because thousands of movies may have to be compared. Words are compared in their
 * order only where there are as many, since that takes longer than all the rest; the subqueries run once.
 */
const matches = (text: SQL | Placeholder, more: SQL = sql``) => sql`
  select id, words * 10000::bigint - year - case when words = (select length(search_words(${text})))
      and search_list(title) = (select search_list(${text})) then 1000000000 else 0 end as rank
  from (
    select id, title, year, length(title_words) as words from ${movies} where ${titleHasWords(text)} ${more}
  ) as matched`

/** The matches of the placeholder `text`, perhaps of the placeholder `year`. */
export const matchesOf = (hasYear: boolean) =>
  matches(sql.placeholder('text'), hasYear ? sql`and year = ${sql.placeholder('year')}` : undefined)

/** A title with this many matches is looked for by itself, so that others need not wait for it. */
const MANY = sql.raw('200')

const asked = sql`asked.text`
/** The best of those that are the text itself, all of which have its letters. */
const same = sql`select id from ${movies}
  where search_letters(title) collate "C" = (select search_letters(${asked}))
    and search_list(title) = (select search_list(${asked}))
  order by year desc, id limit 1`
const few = matches(asked, sql`and same.id is null limit ${MANY}`)

const bestOfFew = builtOnce((db) =>
  db
    .select({
      text: sql<string>`found.text`,
      hasMany: sql<boolean>`found.has_many`,
      catalogue: versionOfSnapshot,
      ...movieColumns,
    })
    .from(
      // An array, of which a plan expects ten elements; it would expect a hundred of the JSON, and compile itself.
      sql`(select asked.text, coalesce(same.id, best.id) as id, best.has_many
        from unnest(array(select json_array_elements_text(${sql.placeholder('texts')}::json))) as asked (text)
        left join lateral (${same}) as same on true
        cross join lateral (
          select (array_agg(id order by rank, id))[1] as id, count(*) = ${MANY} as has_many
          from (${few}) as ranked) as best) as found`,
    )
    .innerJoin(movies, sql`${movies.id} = found.id`)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .prepare('movies_by_title'),
)

const HAS_MANY = Symbol('many movies match')

/** Titles of several callers, in one statement. */
const findOfFew: (db: Db, text: string) => Promise<Best | typeof HAS_MANY | undefined> = batched(
  async (db, texts: readonly string[]) => {
    const found = await bestOfFew(db).execute({ texts: JSON.stringify(texts) })
    return new Map(
      found.map(({ text, hasMany, catalogue, ...movie }) => [
        text,
        hasMany ? HAS_MANY : { movie, version: catalogue },
      ]),
    )
  },
)

const buildBest = (db: Db, hasYear: boolean) =>
  db
    .select({ catalogue: versionOfSnapshot, ...movieColumns })
    .from(movies)
    .innerJoin(users, eq(users.id, movies.createdBy))
    .where(sql`${movies.id} = (select id from (${matchesOf(hasYear)}) as ranked order by rank, id limit 1)`)
    .prepare('movie_by_title')
const bestOfAll = builtOnce((db) => buildBest(db, false))
const bestInYear = builtOnce((db) => buildBest(db, true))

const findOfMany: (db: Db, title: Title) => Promise<Best | undefined> = askedOnce(
  async (db, { text, year }: Title) => {
    const best = year === undefined ? bestOfAll(db) : bestInYear(db)
    const [found] = await best.execute({ text, year })
    if (found === undefined) return undefined
    const { catalogue, ...movie } = found
    return { movie, version: catalogue }
  },
)

/** The best of the matches. */
export async function findMovieByTitle(db: Db, title: Title): Promise<Best | undefined> {
  if (title.year !== undefined) return findOfMany(db, title)
  const best = await findOfFew(db, title.text)
  return best === HAS_MANY ? findOfMany(db, title) : best
}
