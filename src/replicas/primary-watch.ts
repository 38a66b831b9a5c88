import { isUnavailable } from '../db/errors'
import { timeLeft, within } from '../waiting'

/** One replaced connection doesn't mean that the primary is gone. */
const AWAY_AFTER_MS = 1000
/** Limit on replicas standing in: they still honour permissions that were revoked meanwhile. */
const STAND_IN_MS = 15 * 60_000
/** Longest wait of a read that failed for the verdict, and what is left of its time then, to read a replica. */
const VERDICT_MS = 3500
const LEFT_MS = 1000
/** A primary that stops may answer at one connection after it has failed at another. */
const MAX_TRIES = 3

export const AWAY = Symbol('away')
export type PrimaryWatch = ReturnType<typeof createPrimaryWatch>

/** Tracks whether the primary is away, from regular probes. */
export function createPrimaryWatch(now: () => number) {
  let answeredAt = now()
  let hasFailed = false
  const onVerdict = new Set<(isAway: boolean) => void>()

  const isAway = () => hasFailed && now() - answeredAt > AWAY_AFTER_MS

  function tell() {
    if (hasFailed && !isAway()) return
    for (const hear of onVerdict) hear(isAway())
  }

  /** Whether it is away, by the next verdict; undefined when the request has no time left to wait for it. */
  async function nextVerdict(): Promise<boolean | undefined> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const failedAt = now()
    // An answer that was asked for before the failure says nothing about the time after it.
    const hear = (isAway: boolean) => {
      if (isAway || answeredAt >= failedAt) resolve(isAway)
    }
    onVerdict.add(hear)
    const verdict = await within(timeLeft(VERDICT_MS + LEFT_MS) - LEFT_MS, promise, () => undefined)
    onVerdict.delete(hear)
    return verdict
  }

  return {
    /** `at` is from before the primary was asked. */
    answered(at: number) {
      answeredAt = at
      hasFailed = false
      tell()
    },
    failed() {
      hasFailed = true
      tell()
    },
    isAway,
    answeredAt: () => answeredAt,
    isAwayTooLong: () => isAway() && now() - answeredAt > STAND_IN_MS,
    /** Result of work on the primary, or AWAY as soon as it is known to be away. */
    async orAway<T>(work: () => Promise<T>): Promise<T | typeof AWAY> {
      if (isAway()) return AWAY
      const { promise: gone, resolve } = Promise.withResolvers<typeof AWAY>()
      const hear = (isAway: boolean) => isAway && resolve(AWAY)
      /** What follows a failure: AWAY, or the work once more if the primary answers. */
      async function again(error: unknown, tries = 1): Promise<T | typeof AWAY> {
        const verdict = isUnavailable(error) ? await nextVerdict() : undefined
        if (verdict === true) return AWAY
        if (verdict === undefined || tries === MAX_TRIES) throw error
        return work().catch((error) => again(error, tries + 1))
      }
      onVerdict.add(hear)
      try {
        return await Promise.race([work().catch((error) => again(error)), gone])
      } finally {
        onVerdict.delete(hear)
      }
    },
  }
}
