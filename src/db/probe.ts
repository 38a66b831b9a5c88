import { sql } from 'drizzle-orm'
import type { Db } from './client'

const MAX_AGE_MS = 500
const PATIENCE_MS = 2000

/** Tells whether the database answers, from a probe at most half a second old. */
export function createProbe(db: Db): () => Promise<boolean> {
  let result: Promise<boolean> | undefined
  let expiresAt = 0

  async function probe(): Promise<boolean> {
    const answered = db.execute(sql`select 1`).then(
      () => true,
      () => false,
    )
    const isUp = await Promise.race([answered, Bun.sleep(PATIENCE_MS).then(() => false)])
    expiresAt = performance.now() + MAX_AGE_MS
    return isUp
  }

  return () => {
    if (result === undefined || performance.now() > expiresAt) {
      expiresAt = Number.POSITIVE_INFINITY
      result = probe()
    }
    return result
  }
}
