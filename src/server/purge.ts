import { purgeExpiredTokens } from '../access/mail-token-store'
import type { Db } from '../db/client'
import { describeError, type Log } from '../log'
import { purgeMails } from '../mail/store'
import { purgeInactiveUsers } from '../users/store'

const DAY_MS = 24 * 3600 * 1000

/** Removes now and daily what is past its time; returns the way to stop that. */
export function startPurge(
  patiently: (work: (db: Db) => Promise<void>) => Promise<void>,
  log: Log,
): () => void {
  async function purge() {
    try {
      await patiently(async (db) => {
        await purgeExpiredTokens(db)
        await purgeMails(db)
        await purgeInactiveUsers(db)
      })
    } catch (error) {
      log.warn('the daily purge failed; it is tried again tomorrow', describeError(error))
    }
  }
  const timer = setInterval(purge, DAY_MS)
  purge()
  return () => clearInterval(timer)
}
