import { LRUCache } from 'lru-cache'
import { askedOnce, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { catalogueVersion } from './version-store'

const MAX_BYTES = 4 * 1_048_576
/** Of a question, with what the cache itself needs for an entry. */
const OVERHEAD_BYTES = 500
const MAX_BYTES_OF_TOTALS = 262_144

/** An answer, its size, and the version of the catalogue in the snapshot that it was read from. */
export type Versioned<Answer> = { readonly answer: Answer; readonly bytes: number; readonly version: string }

/**
 * Answers all who ask the same at once, as `askedOnce` does, and makes the answer once too: that of a large page takes
 * 30 ms.
 */
export const answeredOnce = askedOnce

/**
 * Answers again what was asked before as long as the catalogue is the same, by its version: a later snapshot
 * holds all commits of an earlier one, so the same version means the same movies. The question must say all that the
 * answer depends on besides.
 */
export function answeredWhileTrue<Question, Answer>(
  load: (db: Db, question: Question) => Promise<Versioned<Answer>>,
): (db: Db, question: Question) => Promise<Answer> {
  const known = builtOnce(
    () =>
      new LRUCache<string, Versioned<Answer>>({
        maxSize: MAX_BYTES,
        maxEntrySize: MAX_BYTES / 8,
        sizeCalculation: ({ bytes }, key) => bytes + key.length + OVERHEAD_BYTES,
      }),
  )
  return async (db, question) => {
    const answers = known(db)
    const key = JSON.stringify(question)
    const old = answers.get(key)
    if (old !== undefined && old.version === (await catalogueVersion(db))) return old.answer
    const current = await load(db, question)
    answers.set(key, current)
    return current.answer
  }
}

/** How many movies searches find, with the version of the catalogue for which that is true. */
export const totalsOfSearches = builtOnce(
  () =>
    new LRUCache<string, { readonly total: number; readonly version: string }>({
      maxSize: MAX_BYTES_OF_TOTALS,
      sizeCalculation: (_, key) => key.length + OVERHEAD_BYTES,
    }),
)
