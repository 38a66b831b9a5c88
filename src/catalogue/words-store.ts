import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'

/** New words wait in lists of these indexes, which each search reads to the end: after 800 movies, it takes three times as long. */
const SORTED_LATER = ['movies_search_idx', 'movies_words_idx']

/**
 * Sorts the words of new movies into the indexes; returns whether any were waiting. Only the indexes' owner may do it, and only
 * on a primary.
 */
export async function sortNewWords(db: Db): Promise<boolean> {
  const [sorted] = await db.execute<{ pages: string | null }>(sql`
    select sum(gin_clean_pending_list(oid)) as pages from pg_class
    where relname = any(${`{${SORTED_LATER}}`}) and relnamespace = 'public'::regnamespace
      and pg_has_role(relowner, 'usage') and not pg_is_in_recovery()`)
  return Number(sorted?.pages ?? 0) > 0
}
