import type { ReplicasConfig } from '../config/database'
import { type Db, requestTimeouts } from '../db/client'
import { Failure } from '../errors'
import type { Log } from '../log'
import { timeLeft, withDeadline } from '../waiting'
import { createPrimaryLog } from './lag'
import { createOwnWrites } from './own-writes'
import { pollServers } from './poll'
import { AWAY, createPrimaryWatch } from './primary-watch'
import { openReplica, type Replica, type ReplicaStatus } from './replica'
import { noteStale } from './staleness'

/** Time for a read on a replica; the rest of the request's time is left for the primary. */
const READ_MS = 1500

export type Reads = {
  /** Runs a read, for a user or anonymously, on a suitable replica, or else on the primary. */
  read<T>(userId: number | undefined, work: (db: Db) => Promise<T>): Promise<T>
  /** Runs it on the primary or, while that is away, on a replica that was current when it left. */
  readCurrent<T>(work: (db: Db) => Promise<T>): Promise<T>
  /** The same, with a different way of reading the primary. */
  orStale<T>(fromPrimary: () => Promise<T>, work: (db: Db) => Promise<T>): Promise<T>
  /** Makes this user's later reads include their writes. */
  wrote(userId: number): void
  status(): readonly ReplicaStatus[]
  /** Whether reads can be answered without the primary. */
  canServe(): boolean
  /** Number of reads by replicas and by the primary. */
  served(): { replicas: number; primary: number }
  close(): Promise<void>
}

/** Without replicas. */
export const readPrimary = (db: Db): Pick<Reads, 'read' | 'readCurrent'> => ({
  read: (_, work) => work(db),
  readCurrent: (work) => work(db),
})

const isRefusal = (error: unknown) => error instanceof Failure && error.code !== 'databaseUnavailable'

type Options = ReplicasConfig & { primary: Db; probeDb: Db; poolMax: number; log: Log }

/** Spreads reads over streaming replicas whose known lag is within the limit. */
export function openReplicas({ urls, maxLagMs, primary, probeDb, poolMax, log }: Options): Reads {
  const primaryLog = createPrimaryLog(maxLagMs)
  const ownWrites = createOwnWrites(maxLagMs, () => performance.now())
  const watch = createPrimaryWatch(() => performance.now())
  function since(): number {
    if (watch.isAwayTooLong()) return Number.POSITIVE_INFINITY
    return (watch.isAway() ? watch.answeredAt() : performance.now()) - maxLagMs
  }
  const replicas = urls.map((url) => openReplica(url, { primaryLog, since, poolMax, log }))
  const stopPolling = pollServers({ primary, probeDb, primaryLog, watch, replicas, log })
  const served = { replicas: 0, primary: 0 }
  const { choose, readAt, readStale } = createReplicaReads(replicas, served)

  async function orStale<T>(fromPrimary: () => Promise<T>, work: (db: Db) => Promise<T>): Promise<T> {
    const current = await watch.orAway(fromPrimary)
    if (current !== AWAY) return current
    const stale = await readStale(since, work)
    return stale === AWAY ? fromPrimary() : stale
  }

  return {
    async read(userId, work) {
      const replica = choose(Math.max(performance.now() - maxLagMs, ownWrites.lastOf(userId)))
      try {
        if (replica !== undefined) return await readAt(replica, work)
      } catch {
        // A failure such as a 404 may concern data that hasn't arrived yet; anything else is the replica's
        // own error.
      }
      const fromPrimary = () => {
        served.primary++
        return work(primary)
      }
      return orStale(fromPrimary, work)
    },
    readCurrent: (work) => orStale(() => work(primary), work),
    orStale,
    canServe: () => replicas.some((replica) => replica.knows(since())),
    wrote: ownWrites.wrote,
    status: () => replicas.map((replica) => replica.status()),
    served: () => served,
    async close() {
      stopPolling()
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}

/** Reads on the replicas, without the primary. */
function createReplicaReads(replicas: readonly Replica[], served: { replicas: number }) {
  /** The least busy replica that is current enough. */
  function choose(since: number) {
    const fit = replicas.filter((replica) => replica.knows(since))
    return fit.sort((a, b) => a.load() - b.load())[0]
  }

  async function readAt<T>(replica: Replica, work: (db: Db) => Promise<T>, limitMs = READ_MS): Promise<T> {
    try {
      const result = await withDeadline(timeLeft(limitMs), () => work(replica.db))
      served.replicas++
      return result
    } catch (error) {
      if (!isRefusal(error)) replica.rest(error)
      throw error
    }
  }

  return {
    choose,
    readAt,
    async readStale<T>(since: () => number, work: (db: Db) => Promise<T>): Promise<T | typeof AWAY> {
      // A replica that fails is rested, and the next one tried. At last, each gets the time that is left, as one that is
      // only slow is better than none.
      const lastChances = new Set(replicas)
      for (;;) {
        const fit = choose(since())
        const replica = fit ?? lastChances.values().find((each) => each.knew(since()))
        if (replica === undefined) return AWAY
        if (fit === undefined) lastChances.delete(replica)
        noteStale(replica.status().lagSeconds ?? 0)
        try {
          return await readAt(replica, work, fit === undefined ? requestTimeouts.queryMs : READ_MS)
        } catch (error) {
          if (isRefusal(error)) throw error
        }
      }
    },
  }
}
