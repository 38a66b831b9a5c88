import type { Db } from '../db/client'
import { isUnavailable } from '../db/errors'
import { ping } from '../db/writable'
import { describeError, type Log } from '../log'
import { after, withDeadline } from '../waiting'
import { askPrimary, type PrimaryLog } from './lag'
import type { PrimaryWatch } from './primary-watch'
import type { Replica } from './replica'

const POLL_MS = 250
const ANSWER_MS = 1000

type Polled = {
  primary: Db
  probeDb: Db
  primaryLog: PrimaryLog
  watch: PrimaryWatch
  replicas: readonly Replica[]
  log: Log
}

/** Checks the primary and the replicas four times a second; returns a function that stops it. */
export function pollServers({ primary, probeDb, primaryLog, watch, replicas, log }: Polled): () => void {
  let wasAway = false
  let callOff = () => {}
  let isStopped = false

  async function poll() {
    const at = performance.now()
    try {
      primaryLog.record(at, await withDeadline(ANSWER_MS, () => askPrimary(probeDb)))
      watch.answered(at)
    } catch (error) {
      log.debug('the lag of the replicas is unknown', describeError(error))
      if (await answers(primary, error)) watch.answered(at)
      else watch.failed()
    }
    // Not awaited: a hung replica must not make the others look outdated.
    for (const replica of replicas) replica.look()
    for (const replica of replicas) replica.report()
    reportAbsence()
    if (!isStopped) callOff = after(POLL_MS, poll)
  }
  function reportAbsence() {
    if (watch.isAway() === wasAway) return
    wasAway = watch.isAway()
    if (wasAway) log.warn('the primary is away: replicas serve reads, for at most 15 minutes')
    else log.info('the primary is back')
  }

  poll()
  return () => {
    isStopped = true
    callOff()
  }
}

/** Whether only that connection failed: permissions are read elsewhere only as a last resort. */
const answers = async (primary: Db, error: unknown) =>
  !isUnavailable(error) ||
  withDeadline(ANSWER_MS, () => ping(primary)).then(
    () => true,
    (error) => !isUnavailable(error),
  )
