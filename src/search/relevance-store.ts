import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { wordsOfMovie } from '../db/schema'

/** With fewer movies that have the words, those with a title written nearly so are added. */
const ENOUGH = sql.raw('10')
/** Counts words that are missing, besides their letters. */
const MISSING = sql.raw('1000')
/** No page that ends later is read from the titles that begin so alone. */
const NEAR = sql.raw('100')
/** With more titles that begin so, a page of them is sooner found among the newest movies. */
const MANY = sql.raw('1000')
/** Few titles begin with the same ten letters, so it isn't worth a try to fill a page with them. */
const LONG = 10
/** Whether titles that begin so may fill a page. */
export const isShort = (q: string) => (q.match(/[\p{L}\p{N}]/gu)?.length ?? 0) < LONG
/** Of more movies that have the words before the last one, the index finds those with all words sooner. */
const FEW = sql.raw('100')
// A long word is rare, and what begins with two or three letters isn't.
const LONG_WORD = /[a-z0-9]{5}/i
const SHORT_LAST = / [a-z0-9]{2,3} *$/i
const ASCII = /^[ -~]*$/
/** The words before a short last one, if few movies may have them. */
export function wordsBefore(q: string): string | undefined {
  const before = q.slice(0, Math.max(0, q.search(SHORT_LAST)))
  // "and" is `&` too, but not to `search_query`.
  return LONG_WORD.test(before) && ASCII.test(before) && !/\band\b/i.test(before) ? before : undefined
}

export type Selection = {
  readonly from: SQL
  readonly conditions: readonly SQL[]
  /** Undefined for the order of relevance. */
  readonly sortKey: SQL | undefined
  readonly addedAt: SQL
  /** The place of the page's last movie. */
  readonly end: SQL
  /** Whether titles that begin so may fill the page. */
  readonly mayFill: boolean
  /** As a text, the words before a last one that is better looked for in the movies than in the index. */
  readonly before: Placeholder | undefined
  /** How many movies there are, if that is known; else null. */
  readonly knownTotal: SQL
}

// Ranks come first in a sort key, then the newer year. The title itself, titles that begin so, all words in the
// title, words in director and cast: 1 to 4. After them, titles written nearly so, by their likeness.
const rank = (order: SQL) => sql`(${order}) * 10000 - movies.year`
const letters = sql`search_letters(movies.title) collate "C"`
const askedLetters = sql`(select letters from asked)`
const askedWords = sql`(select words from asked)`
const exactRank = rank(sql`case when movies.id in (select movie_id from same) then 1
  when movies.id in (select movie_id from begun) then 2
  when movies.title_words @@ ${askedWords} then 3 else 4 end`)
/** Mistyped and missing letters of `q`, and how much longer or shorter the title is than its words with spaces. */
const likenessRank = rank(
  sql`5 + typos.cost % ${MISSING} + abs(char_length(movies.title) - nearly.all_letters - cardinality(nearly.letters) + 1)`,
)
const typos = sql`select sum(case when movies.title_words @@ word then 0 when movies.title_words @@ near then 1 else ${MISSING} + word_letters end)::int
  as cost from (select unnest(nearly.words) as word, unnest(nearly.near) as near, unnest(nearly.letters) as word_letters) as words`

/** A movie has every word of `q` in its title, director or cast, the last one perhaps begun only. */
export const hasAllWords = (q: SQL | Placeholder): SQL => sql`${wordsOfMovie} @@ search_begun(${q})`
const isExact = sql`${wordsOfMovie} @@ ${askedWords}`
/** As a function, which no index serves, as another one has to. */
const isInTitle = sql`ts_match_vq(movies.title_words, ${askedWords})`

/** Whether the titles that begin so fill the page: then no other movie needs a rank, and all are only counted. */
const isFilled = sql`(select is_filled from filled)`
/** Whether more titles begin so than were read. */
const isCut = sql`(select is_cut from filled)`

/**
 * Table expressions up to `matched`, with the movies that `q` finds besides other conditions, as far as the page needs
 * them; and the number of all (decision 19).
 */
export function matchedBy(q: SQL | Placeholder, selection: Selection): { tables: SQL; total: SQL } {
  const { from, conditions, sortKey, addedAt, end, before, knownTotal } = selection
  const isRanked = sortKey === undefined
  const mayFill = isRanked && selection.mayFill
  const where = (...more: SQL[]) => sql`where ${sql.join([...conditions, ...more], sql` and `)}`
  const columns = (key: SQL) =>
    sql`movies.id as movie_id, ${sortKey ?? key} as sort_key, ${addedAt} as added_at`
  const asked = sql`asked as materialized (select words, letters, "end", case when "end" <= ${NEAR} then ${MANY} end as most
      from (select search_begun(${q}) as words, search_letters(${q}) as letters, greatest(${end}, ${ENOUGH}) as "end") as given)`
  const titled = sql`same as materialized (
      select ${columns(rank(sql`1`))} from ${from} ${where(sql`${letters} = ${askedLetters}`, isInTitle)}
    ), begun as materialized (
      select ${columns(rank(sql`2`))} from ${from}
      ${where(sql`${letters} > ${askedLetters}`, sql`${letters} < (select letters || chr(1114111) from asked)`, isInTitle)}
      ${mayFill ? sql`limit (select most + 1 from asked)` : sql``}
    ),`
  const filled = sql`filled as materialized (
      select coalesce(begun.movies > most, false) as is_cut,
        coalesce(begun.movies > most, false) or (select count(*) from same) + begun.movies >= "end" as is_filled
      from asked, (select count(*) as movies from begun) as begun
    ), newest as materialized (
      select * from (
        select ${columns(rank(sql`2`))} from ${from}
        ${where(
          isCut,
          isInTitle,
          sql`starts_with(${letters}, ${askedLetters})`,
          sql`${letters} <> ${askedLetters}`,
        )}
        order by movies.year desc, movies.id limit (select "end" from asked)
      ) as few limit ${NEAR}
    ),`
  const unlessFilled = mayFill ? [sql`not ${isFilled}`] : []
  const exact =
    before === undefined
      ? sql`exact as materialized (
      select ${columns(exactRank)} from ${from} ${where(isExact, ...unlessFilled)}
    )`
      : sql`few as materialized (
      select ${columns(exactRank)}, ${isExact} as has_all from ${from}
      ${where(sql`${wordsOfMovie} @@ search_query(${before})`, ...unlessFilled)} limit ${FEW} + 1
    ), rare as materialized (select count(*) <= ${FEW} as is_rare from few
    ), exact as materialized (
      select movie_id, sort_key, added_at from few where has_all and (select is_rare from rare) union all
      select ${columns(exactRank)} from ${from} ${where(isExact, ...unlessFilled, sql`not (select is_rare from rare)`)}
    )`
  const tables = sql`${asked}, ${isRanked ? titled : sql``} ${mayFill ? filled : sql``}
    ${exact}, nearly as materialized (
      select nearly.* from search_nearly(${q}) as nearly
      where (select count(*) from (select from exact limit ${ENOUGH}) as few) < ${ENOUGH} ${mayFill ? sql`and not ${isFilled}` : sql``}
    ), alike as materialized (
      select ${columns(likenessRank)} from ${from} cross join nearly cross join lateral (${typos}) as typos
      ${where(
        sql`movies.title_words @@ nearly.candidates`,
        sql`movies.id not in (select movie_id from exact)`,
        sql`typos.cost < 2 * ${MISSING}`,
        sql`typos.cost % ${MISSING} <= nearly.all_letters / 3`,
      )}
    ), matched as not materialized (
      select * from exact union all select * from alike
      ${mayFill ? sql`union all select * from same where ${isFilled} union all select * from begun where ${isFilled} and not ${isCut} union all select * from newest` : sql``}
    )`
  const all = sql`(select count(*) from exact) + (select count(*) from alike)`
  const counted = sql`coalesce((${knownTotal}), (select count(*) from ${from} ${where(isExact)}))`
  return { tables, total: mayFill ? sql`case when ${isFilled} then ${counted} else ${all} end` : all }
}
