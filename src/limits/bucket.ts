import { Failure } from '../errors'

/** So many at once, refilled evenly over the period; 0 is no limit. */
export type Rate = {
  readonly name: string
  readonly quota: number
  readonly periodMs: number
  readonly burst: number
}
/** What was taken: to be given back when it should not count after all, or to count for more. */
export type Taken = {
  takeBack(): void | Promise<void>
  /** Counts so many more, into debt where there are not as many left. */
  charge(units: number): void | Promise<void>
  /** In how many milliseconds the bucket is full again; undefined where there is no limit. */
  readonly fullInMs: number | undefined
  readonly rate: Rate
}
/** Throws the 429 of a key that has had its share. */
export type Bucket = { take(key: string): Taken | Promise<Taken> }
const UNLIMITED: Rate = { name: '', quota: 0, periodMs: 0, burst: 0 }
export const NOTHING: Taken = { takeBack() {}, charge() {}, fullInMs: undefined, rate: UNLIMITED }

const MAX_KEYS = 100_000
/** However much one client had under way at once, it waits no longer for its next turn. */
export const MAX_DEBT_MS = 60_000

/** How much time one request takes of a key's, and how much there is to take at once. */
export function paceOf({ quota, periodMs, burst }: Rate) {
  const intervalMs = periodMs / quota
  return { intervalMs, depthMs: intervalMs * burst }
}

// draft-ietf-httpapi-ratelimit-headers-11
const leftHeader = ({ name }: Rate, left: number, seconds: number) => `"${name}";r=${left};t=${seconds}`
const policyHeader = ({ name, quota, periodMs }: Rate) =>
  `"${name}";q=${quota};w=${Math.ceil(periodMs / 1000)}`

export function refusal(rate: Rate, waitMs: number): Failure {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new Failure('rateLimited', {
    headers: {
      'Retry-After': String(seconds),
      RateLimit: leftHeader(rate, 0, seconds),
      'RateLimit-Policy': policyHeader(rate),
    },
  })
}

/** Says what is left, beside what other limits have said, once so many more are charged. */
export function addLimitHeaders(headers: Headers, { rate, fullInMs }: Taken, charged: number) {
  if (fullInMs === undefined) return
  const { intervalMs, depthMs } = paceOf(rate)
  const full = fullInMs + charged * intervalMs
  // What stands behind the comma is rounding.
  const left = Math.max(0, Math.floor((depthMs - full) / intervalMs + 0.001))
  headers.append('RateLimit', leftHeader(rate, left, Math.ceil(full / 1000)))
  headers.append('RateLimit-Policy', policyHeader(rate))
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
        rate,
        fullInMs: full - time,
        takeBack() {
          const current = fullAt.get(key)
          if (current !== undefined) fullAt.set(key, current - intervalMs)
        },
        charge(units) {
          const most = now() + depthMs + MAX_DEBT_MS
          const current = Math.max(fullAt.get(key) ?? 0, now())
          fullAt.set(key, Math.min(current + units * intervalMs, Math.max(current, most)))
        },
      }
    },
  }
}
