import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { wordsOfMovie } from '../db/schema'

/** With fewer movies that have the words, those with a title written nearly so are added. */
const ENOUGH = sql.raw('10')

export type Selection = {
  readonly from: SQL
  readonly conditions: readonly SQL[]
  /** Undefined for the order of relevance. */
  readonly sortKey: SQL | undefined
  readonly addedAt: SQL
}

// Ranks come first in a sort key, then the newer year. The title itself, titles that begin so, all words in the
// title, words in director and cast: 1 to 4. After them, titles written nearly so, by their likeness.
const rank = (order: SQL) => sql`(${order}) * 10000 - movies.year`
const letters = sql`search_letters(movies.title) collate "C"`
const exactRank = rank(sql`case when movies.id in (select id from same) then 1
  when movies.id in (select id from begun) then 2
  when movies.title_words @@ (select words from asked) then 3 else 4 end`)
/** Mistyped and missing letters of `q`, and the letters that the title has more or less. */
const likenessRank = rank(sql`5 + typos.letters + abs(char_length(${letters}) - nearly.all_letters)`)
const typos = sql`select sum(case when movies.title_words @@ word then 0 when movies.title_words @@ near then 1 else word_letters end)
  as letters from unnest(nearly.words, nearly.near, nearly.letters) as words (word, near, word_letters)`

/** A movie has every word of `q` in its title, director or cast, the last one perhaps begun only. */
export const hasAllWords = (q: SQL | Placeholder): SQL => sql`${wordsOfMovie} @@ search_begun(${q})`

/** Table expressions up to `matched`, with the movies that `q` finds besides other conditions (decision 19). */
export function matchedBy(q: SQL | Placeholder, { from, conditions, sortKey, addedAt }: Selection): SQL {
  const columns = (key: SQL) =>
    sql`movies.id as movie_id, ${sortKey ?? key} as sort_key, ${addedAt} as added_at`
  const where = (...more: SQL[]) => sql`where ${sql.join([...conditions, ...more], sql` and `)}`
  return sql`asked as materialized (
      select search_begun(${q}) as words, search_letters(${q}) as letters
    ), same as materialized (
      select id from movies where ${letters} = (select letters from asked)
    ), begun as materialized (
      select id from movies where ${letters} >= (select letters from asked)
        and ${letters} < (select letters || chr(1114111) from asked)
    ), exact as materialized (
      select ${columns(exactRank)} from ${from} ${where(hasAllWords(q))}
    ), nearly as materialized (
      select nearly.* from search_nearly(${q}) as nearly where (select count(*) from exact) < ${ENOUGH}
    ), alike as materialized (
      select ${columns(likenessRank)} from ${from} cross join nearly cross join lateral (${typos}) as typos
      ${where(
        sql`movies.title_words @@ nearly.candidates`,
        sql`movies.id not in (select movie_id from exact)`,
        sql`typos.letters <= nearly.all_letters / 3`,
      )}
    ), matched as materialized (select * from exact union all select * from alike)`
}
