import { serverName } from '../connection/address'
import { connect, type Db } from '../db/client'
import { describeError, type Log } from '../log'
import { withDeadline } from '../waiting'
import { type Answer, askReplica, type PrimaryLog, type Sample } from './lag'

const LOOK_MS = 1000
/** How long a replica is avoided after a failed read. */
const REST_MS = 5000
const UNKNOWN = 'it has not been checked yet'
const SILENT = 'it does not answer'

export type ReplicaStatus = {
  readonly name: string
  readonly serves: boolean
  /** Maximum lag; undefined while unknown. */
  readonly lagSeconds: number | undefined
}
export type ReplicaOptions = {
  primaryLog: PrimaryLog
  /** The moment a replica must have caught up with to serve. */
  since: () => number
  poolMax: number
  log: Log
}
export type Replica = ReturnType<typeof openReplica>

/** A replica, and the moment up to which it has caught up. */
export function openReplica(url: string, options: ReplicaOptions) {
  const { since, poolMax, log } = options
  const name = serverName(url)
  const database = connect({ url }, { poolMax, log })
  const probeDb = connect({ url }, { poolMax: 1, log })
  const { look, knownAt, problem } = createLook(probeDb.db, options)
  let restsUntil = 0
  let isSaid = false
  let served = false

  const knows = (since: number) =>
    problem() === undefined && knownAt() > since && performance.now() >= restsUntil
  const status = (): ReplicaStatus => ({
    name,
    serves: knows(since()),
    lagSeconds: Number.isFinite(knownAt()) ? (performance.now() - knownAt()) / 1000 : undefined,
  })
  const reason = () =>
    problem() ?? (performance.now() < restsUntil ? 'a read failed there' : 'it is too far behind')

  return {
    db: database.db,
    look,
    /** Whether it has everything committed before that moment. */
    knows,
    /** The same, even if it was slow or failed lately. */
    knew: (since: number) => [undefined, SILENT].includes(problem()) && knownAt() > since,
    load: () => database.pool().busy + database.pool().waiting,
    rest(error: unknown) {
      restsUntil = performance.now() + REST_MS
      log.debug('a read failed at a replica', { replica: name, ...describeError(error) })
    },
    status,
    /** Logs when it starts or stops serving. */
    report() {
      const { serves, lagSeconds } = status()
      if (problem() === UNKNOWN || (isSaid && serves === served)) return
      isSaid = true
      served = serves
      if (serves) log.info('a replica serves reads', { replica: name, lagSeconds })
      else
        log.warn('the primary serves the reads of a replica', { replica: name, reason: reason(), lagSeconds })
    },
    async close() {
      await Promise.all([database.close(), probeDb.close()])
    },
  }
}

/** State of a replica at the last look. */
function createLook(db: Db, { primaryLog }: ReplicaOptions) {
  let knownAt = Number.NEGATIVE_INFINITY
  let replayed: Sample | undefined
  let isAhead = false
  let problem: string | undefined = UNKNOWN
  let isLooking = false

  function judge({ identity, standby }: Answer): string | undefined {
    if (!primaryLog.isOf(identity)) return 'it is not a replica of the database in DATABASE_URL'
    if (!standby) return 'it is no longer a replica'
    // What it had replayed at the last look is compared with the primary's log after that.
    if (replayed === undefined) return UNKNOWN
    isAhead = primaryLog.isAhead(replayed) ?? isAhead
    return isAhead ? 'it is ahead of the primary' : undefined
  }

  return {
    knownAt: () => knownAt,
    problem: () => problem,
    async look() {
      if (isLooking) return
      isLooking = true
      try {
        const answer = await withDeadline(LOOK_MS, () => askReplica(db))
        problem = judge(answer)
        // Another server, or one restored to an earlier state: what was known no longer holds.
        const { position } = answer
        if (position < (replayed?.position ?? 0n)) knownAt = Number.NEGATIVE_INFINITY
        replayed = { at: performance.now(), position }
        if (problem === undefined) knownAt = primaryLog.knownBy(position) ?? knownAt
      } catch {
        problem = SILENT
      }
      isLooking = false
    },
  }
}
