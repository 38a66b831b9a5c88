import { LRUCache } from 'lru-cache'
import type { Db } from '../db/client'
import { recordUses } from '../keys/store'
import { describeError, type Log } from '../log'
import { after } from '../waiting'

const MAX_KNOWN = 10_000
const DAY_MS = 24 * 3600 * 1000
const GATHER_MS = 1000
const RETRY_MS = 15_000

export type KeyUses = ReturnType<typeof startKeyUses>

/** Writes down the day on which each key is used: once a day, within a second, for all keys together. */
export function startKeyUses(db: Db, log: Log, now: () => number) {
  const knownOn = new LRUCache<number, number>({ max: MAX_KNOWN })
  /** Keys by the day that is to be written. */
  const unwritten = new Map<string, Set<number>>()
  let callOff: (() => void) | undefined

  async function write() {
    for (const [day, ids] of unwritten) {
      unwritten.delete(day)
      try {
        await recordUses(db, [...ids], day)
      } catch (error) {
        unwritten.set(day, ids.union(unwritten.get(day) ?? new Set()))
        throw error
      }
    }
  }

  function writeIn(milliseconds: number) {
    callOff = after(milliseconds, async () => {
      try {
        await write()
        callOff = undefined
        if (unwritten.size > 0) writeIn(GATHER_MS)
      } catch (error) {
        log.debug('the use of keys could not be written down yet', describeError(error))
        writeIn(RETRY_MS)
      }
    })
  }

  return {
    used(keyId: number) {
      const days = Math.floor(now() / DAY_MS)
      if (knownOn.get(keyId) === days) return
      knownOn.set(keyId, days)
      const day = new Date(days * DAY_MS).toISOString().slice(0, 10)
      unwritten.set(day, (unwritten.get(day) ?? new Set()).add(keyId))
      if (callOff === undefined) writeIn(GATHER_MS)
    },
    async stop() {
      callOff?.()
      await write().catch((error) => log.debug('the use of keys was not written down', describeError(error)))
    },
  }
}
