import type { ReplicasConfig } from '../config/database'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import { describeError, type Log } from '../log'
import { timeLeft, withDeadline } from '../waiting'
import { askPrimary, createPrimaryLog } from './lag'
import { createOwnWrites } from './own-writes'
import { openReplica, type ReplicaStatus } from './replica'

const POLL_MS = 250
const POLL_PATIENCE_MS = 1000
/** What a read may take at a replica; the rest of a request's time is the primary's. */
const READ_MS = 1500

export type Reads = {
  /** Does the work of a reading user on a replica that is good for it, or else on the primary. */
  read<T>(userId: number, work: (db: Db) => Promise<T>): Promise<T>
  /** From now on this user is to read what they wrote. */
  wrote(userId: number): void
  status(): readonly ReplicaStatus[]
  /** How many reads the replicas have served, and how many the primary. */
  served(): { replicas: number; primary: number }
  close(): Promise<void>
}

/** Where no replicas are given. */
export const readPrimary = (db: Db): Pick<Reads, 'read'> => ({ read: (_, work) => work(db) })

type Options = ReplicasConfig & { primary: Db; aside: Db; poolMax: number; log: Log }

/** Spreads reads over streaming replicas, each for as long as it is known to be no further behind than allowed. */
export function openReplicas({ urls, maxLagMs, primary, aside, poolMax, log }: Options): Reads {
  const primaryLog = createPrimaryLog(maxLagMs)
  const ownWrites = createOwnWrites(maxLagMs, () => performance.now())
  const replicas = urls.map((url) => openReplica(url, { primaryLog, maxLagMs, poolMax, log }))
  const served = { replicas: 0, primary: 0 }
  let timer: Timer | undefined
  let isClosed = false

  async function poll() {
    const at = performance.now()
    try {
      primaryLog.record(at, await withDeadline(POLL_PATIENCE_MS, () => askPrimary(aside)))
      // Not waited for: one that hangs must not make the others look old.
      for (const replica of replicas) replica.look()
    } catch (error) {
      log.debug('the lag of the replicas is not known', describeError(error))
    }
    for (const replica of replicas) replica.report()
    if (!isClosed) timer = setTimeout(poll, POLL_MS)
  }
  poll()

  /** Of those that know enough, the one with the least to do. */
  function choose(userId: number) {
    const since = Math.max(performance.now() - maxLagMs, ownWrites.lastOf(userId))
    const fit = replicas.filter((replica) => replica.knows(since))
    return fit.sort((a, b) => a.load() - b.load())[0]
  }

  return {
    async read(userId, work) {
      const replica = choose(userId)
      try {
        if (replica !== undefined) {
          const result = await withDeadline(timeLeft(READ_MS), () => work(replica.db))
          served.replicas++
          return result
        }
      } catch (error) {
        // A refusal such as a 404 may be one of what the replica doesn't know yet; all else is its own failure.
        if (!(error instanceof Failure) || error.code === 'databaseUnavailable') replica?.rest(error)
      }
      served.primary++
      return work(primary)
    },
    wrote: ownWrites.wrote,
    status: () => replicas.map((replica) => replica.status()),
    served: () => served,
    async close() {
      isClosed = true
      clearTimeout(timer)
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}
