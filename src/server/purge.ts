import { purgeExpiredTokens } from '../access/mail-token-store'
import { purgeEvents } from '../audit/store'
import { recountMovies } from '../catalogue/counts-store'
import type { Db } from '../db/client'
import { describeError, type Log } from '../log'
import { purgeMails } from '../mail/store'
import { purgeInactiveUsers } from '../users/store'

const DAY_MS = 24 * 3600 * 1000

/** Purges expired data and checks the count of movies, now and daily; returns a function that stops it. */
export function startPurge(
  withoutTimeouts: (work: (db: Db) => Promise<void>) => Promise<void>,
  auditKeepSeconds: number,
  log: Log,
): () => void {
  let isStopped = false
  async function purge() {
    try {
      await withoutTimeouts(async (db) => {
        await purgeExpiredTokens(db)
        await purgeMails(db)
        await purgeInactiveUsers(db)
        await purgeEvents(db, auditKeepSeconds)
        await correctCount(db)
      })
    } catch (error) {
      if (isStopped) log.info('the stop ended the daily purge; the next start repeats it')
      else log.warn('the daily purge failed; the next try is tomorrow', describeError(error))
    }
  }
  async function correctCount(db: Db) {
    const { found, counted, wrongBlocks } = await recountMovies(db)
    if (wrongBlocks > 0) log.warn('the count of movies was wrong, and is corrected', { counted, found })
  }
  const timer = setInterval(purge, DAY_MS)
  purge()
  return () => {
    isStopped = true
    clearInterval(timer)
  }
}
