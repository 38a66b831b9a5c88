import { Failure } from '../errors'

/** So many at once, refilled evenly over the period; 0 is no limit. */
export type Rate = {
  readonly name: string
  readonly quota: number
  readonly periodMs: number
  readonly burst: number
}
/** What was taken, to be given back when it should not count after all. */
export type Taken = { takeBack(): void | Promise<void> }
/** Throws the 429 of a key that has had its share. */
export type Bucket = { take(key: string): Taken | Promise<Taken> }
export const NOTHING: Taken = { takeBack() {} }

const MAX_KEYS = 100_000

/** How much time one request takes of a key's, and how much there is to take at once. */
export function paceOf({ quota, periodMs, burst }: Rate) {
  const intervalMs = periodMs / quota
  return { intervalMs, depthMs: intervalMs * burst }
}

export function refusal({ name, quota, periodMs }: Rate, waitMs: number): Failure {
  const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)))
  return new Failure('rateLimited', {
    headers: {
      'Retry-After': seconds,
      RateLimit: `"${name}";r=0;t=${seconds}`,
      'RateLimit-Policy': `"${name}";q=${quota};w=${Math.ceil(periodMs / 1000)}`,
    },
  })
}

/**
 * A token bucket a key, by the generic cell rate algorithm: one number a key, the time at which its bucket is full
 * again. Taking is one step, so requests at the same moment can't pass together on the last token.
 */
export function createBucket(rate: Rate, now: () => number) {
  const fullAt = new Map<string, number>()
  const { intervalMs, depthMs } = paceOf(rate)

  /** Keys whose bucket is full again are as good as unknown; after them the longest untouched go, a tenth at a time. */
  function makeRoom(time: number) {
    for (const [key, full] of fullAt) if (full <= time) fullAt.delete(key)
    for (const key of fullAt.keys()) {
      if (fullAt.size < 0.9 * MAX_KEYS) break
      fullAt.delete(key)
    }
  }

  return {
    take(key: string): Taken {
      if (rate.quota === 0) return NOTHING
      const time = now()
      const full = Math.max(fullAt.get(key) ?? 0, time) + intervalMs
      if (full - time > depthMs + 0.001) throw refusal(rate, full - time - depthMs)
      fullAt.delete(key)
      if (fullAt.size >= MAX_KEYS) makeRoom(time)
      fullAt.set(key, full)
      return {
        takeBack() {
          const current = fullAt.get(key)
          if (current !== undefined) fullAt.set(key, current - intervalMs)
        },
      }
    },
  }
}
