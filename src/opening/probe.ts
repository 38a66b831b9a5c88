import type { Db } from '../db/client'
import { databaseProblem } from '../db/errors'
import { endReadOnlySession, whyReadOnly } from '../db/writable'
import type { Log } from '../log'
import { within } from '../waiting'

const MAX_AGE_MS = 500
/** Often enough that a healthcheck finds a fresh answer without waiting. */
const EVERY_MS = 400
const LOOK_MS = 2000
const RENEW_EVERY_MS = 2000
const SILENT = 'it does not answer'

/** What the database can do now. */
export type Condition = { readonly reads: boolean; readonly writes: boolean }
export type Probe = ReturnType<typeof createProbe>
type Options = {
  db: Db
  /** Whether replicas can answer reads. */
  readsElsewhere?: (() => boolean) | undefined
  /** Whether to look even while nobody asks, so that metrics and log stay current. */
  isSteady: boolean
  log: Log
}

/** Reports what the database can do, from a look at most half a second old. */
export function createProbe({ db, readsElsewhere = () => false, isSteady, log }: Options) {
  let known: Condition = { reads: true, writes: true }
  let expiresAt = Number.NEGATIVE_INFINITY
  let underWay: Promise<Condition> | undefined
  let problem: string | undefined
  let renewedAt = Number.NEGATIVE_INFINITY
  let isStopped = false

  async function look(): Promise<Condition> {
    let cause: unknown
    const asked = whyReadOnly(db).catch((error) => {
      cause = error
      return SILENT
    })
    const found = await within(LOOK_MS, asked, () => SILENT)
    if (!isStopped) note(found, cause)
    known = { reads: found !== SILENT || readsElsewhere(), writes: found === undefined }
    expiresAt = performance.now() + MAX_AGE_MS
    underWay = undefined
    return known
  }

  function note(found: string | undefined, cause: unknown) {
    if (found !== problem && found !== undefined)
      log.warn('the database takes no writes', { reason: found, problem: databaseProblem(cause) })
    if (found !== problem && found === undefined) log.info('the database takes writes again')
    problem = found
    if (found === undefined || found === SILENT || performance.now() - renewedAt < RENEW_EVERY_MS) return
    renewedAt = performance.now()
    endReadOnlySession(db).catch(() => {})
  }

  function refresh(): Promise<Condition> {
    underWay ??= look()
    return underWay
  }
  const timer = isSteady ? setInterval(refresh, EVERY_MS) : undefined

  return {
    /** A promise only if a look has to be waited for. */
    condition: (): Condition | Promise<Condition> => (performance.now() < expiresAt ? known : refresh()),
    /** The last known state, without waiting. */
    isWritable(): boolean {
      if (performance.now() >= expiresAt) refresh()
      return known.writes
    },
    stop() {
      isStopped = true
      clearInterval(timer)
    },
  }
}
