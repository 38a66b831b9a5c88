import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'

const MAX_AGE_MS = 500
const PATIENCE_MS = 2000

/** Tells whether the database answers, from a probe at most half a second old; a promise while that is under way. */
export function createProbe(db: Db): () => boolean | Promise<boolean> {
  let result: boolean | Promise<boolean> = false
  let expiresAt = Number.NEGATIVE_INFINITY

  async function probe(): Promise<boolean> {
    const answered = db.execute(sql`select 1`).then(
      () => true,
      () => false,
    )
    const isUp = await Promise.race([answered, Bun.sleep(PATIENCE_MS).then(() => false)])
    expiresAt = performance.now() + MAX_AGE_MS
    result = isUp
    return isUp
  }

  return () => {
    if (performance.now() > expiresAt) {
      expiresAt = Number.POSITIVE_INFINITY
      result = probe()
    }
    return result
  }
}
