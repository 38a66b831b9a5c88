import type { ReplicasConfig } from '../config/database'
import type { Db } from '../db/client'
import { isUnavailable } from '../db/errors'
import { ping } from '../db/writable'
import { Failure } from '../errors'
import { describeError, type Log } from '../log'
import { after, timeLeft, withDeadline } from '../waiting'
import { askPrimary, createPrimaryLog } from './lag'
import { createOwnWrites } from './own-writes'
import { AWAY, createPrimaryWatch } from './primary-watch'
import { openReplica, type Replica, type ReplicaStatus } from './replica'
import { noteStale } from './staleness'

const POLL_MS = 250
const POLL_PATIENCE_MS = 1000
/** What a read may take at a replica; the rest of a request's time is the primary's. */
const READ_MS = 1500

export type Reads = {
  /** Does the work of a reading user on a replica that is good for it, or else on the primary. */
  read<T>(userId: number, work: (db: Db) => Promise<T>): Promise<T>
  /** Does it on the primary, or while that is away on a replica that knew enough when it was last there. */
  readCurrent<T>(work: (db: Db) => Promise<T>): Promise<T>
  /** The same, for what is read from the primary in another way. */
  orStale<T>(fromPrimary: () => Promise<T>, work: (db: Db) => Promise<T>): Promise<T>
  /** From now on this user is to read what they wrote. */
  wrote(userId: number): void
  status(): readonly ReplicaStatus[]
  /** Whether a read can be answered without the primary. */
  canServe(): boolean
  /** How many reads the replicas have served, and how many the primary. */
  served(): { replicas: number; primary: number }
  close(): Promise<void>
}

/** Where no replicas are given. */
export const readPrimary = (db: Db): Pick<Reads, 'read' | 'readCurrent'> => ({
  read: (_, work) => work(db),
  readCurrent: (work) => work(db),
})

const isRefusal = (error: unknown) => error instanceof Failure && error.code !== 'databaseUnavailable'

type Options = ReplicasConfig & { primary: Db; probeDb: Db; poolMax: number; log: Log }

/** Spreads reads over streaming replicas, each for as long as it is known to be no further behind than allowed. */
export function openReplicas({ urls, maxLagMs, primary, probeDb, poolMax, log }: Options): Reads {
  const primaryLog = createPrimaryLog(maxLagMs)
  const ownWrites = createOwnWrites(maxLagMs, () => performance.now())
  const watch = createPrimaryWatch(() => performance.now())
  const isPrimaryAway = watch.isAway
  function since(): number {
    if (watch.isAwayTooLong()) return Number.POSITIVE_INFINITY
    return (isPrimaryAway() ? watch.answeredAt() : performance.now()) - maxLagMs
  }
  const replicas = urls.map((url) => openReplica(url, { primaryLog, since, isPrimaryAway, poolMax, log }))
  const served = { replicas: 0, primary: 0 }
  let wasAway = false
  let callOff = () => {}
  let isClosed = false

  async function poll() {
    const at = performance.now()
    try {
      primaryLog.record(at, await withDeadline(POLL_PATIENCE_MS, () => askPrimary(probeDb)))
      watch.answered(at)
    } catch (error) {
      log.debug('the lag of the replicas is not known', describeError(error))
      if (await answers(error)) watch.answered(at)
      else watch.failed()
    }
    // Not waited for: one that hangs must not make the others look old.
    for (const replica of replicas) replica.look()
    for (const replica of replicas) replica.report()
    sayIfAway()
    if (!isClosed) callOff = after(POLL_MS, poll)
  }
  /** Whether it is only that connection that fails: rights are read elsewhere only if nothing else is left. */
  const answers = async (error: unknown) =>
    !isUnavailable(error) ||
    withDeadline(POLL_PATIENCE_MS, () => ping(primary)).then(
      () => true,
      (error) => !isUnavailable(error),
    )
  function sayIfAway() {
    if (isPrimaryAway() === wasAway) return
    wasAway = isPrimaryAway()
    if (wasAway) log.warn('the primary is away: replicas serve reads for 15 minutes at most')
    else log.info('the primary is back')
  }
  poll()

  /** Of those that know enough, the one with the least to do. */
  function choose(since: number) {
    const fit = replicas.filter((replica) => replica.knows(since))
    return fit.sort((a, b) => a.load() - b.load())[0]
  }

  async function readAt<T>(replica: Replica, work: (db: Db) => Promise<T>): Promise<T> {
    try {
      const result = await withDeadline(timeLeft(READ_MS), () => work(replica.db))
      served.replicas++
      return result
    } catch (error) {
      if (!isRefusal(error)) replica.rest(error)
      throw error
    }
  }

  async function readStale<T>(work: (db: Db) => Promise<T>): Promise<T | typeof AWAY> {
    // One that fails rests, and another one is next.
    for (let replica = choose(since()); replica !== undefined; replica = choose(since())) {
      noteStale(replica.status().lagSeconds ?? 0)
      try {
        return await readAt(replica, work)
      } catch (error) {
        if (isRefusal(error)) throw error
      }
    }
    return AWAY
  }

  async function orStale<T>(fromPrimary: () => Promise<T>, work: (db: Db) => Promise<T>): Promise<T> {
    const current = await watch.orAway(fromPrimary)
    if (current !== AWAY) return current
    const stale = await readStale(work)
    return stale === AWAY ? fromPrimary() : stale
  }

  return {
    async read(userId, work) {
      const replica = choose(Math.max(performance.now() - maxLagMs, ownWrites.lastOf(userId)))
      try {
        if (replica !== undefined) return await readAt(replica, work)
      } catch {
        // A refusal such as a 404 may be one of what the replica doesn't know yet; all else is its own failure.
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
      isClosed = true
      callOff()
      await Promise.all(replicas.map((replica) => replica.close()))
    },
  }
}
