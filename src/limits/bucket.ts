import { Failure } from '../errors'

/** A burst, refilled evenly over the period; quota 0 means unlimited. */
export type Rate = {
  readonly name: string
  readonly quota: number
  readonly periodMs: number
  readonly burst: number
}
/** One turn taken, which can be undone or made to count for more. */
export type Taken = {
  takeBack(): void | Promise<void>
  /** Counts additional units, going into debt if too few are left. */
  charge(units: number): void | Promise<void>
  /** Milliseconds until the bucket is full again; undefined if unlimited. */
  readonly fullInMs: number | undefined
  readonly rate: Rate
}
/** Throws the 429 of a key that has used up its share. */
export type Bucket = { take(key: string): Taken | Promise<Taken> }
const UNLIMITED: Rate = { name: '', quota: 0, periodMs: 0, burst: 0 }
export const NOTHING: Taken = { takeBack() {}, charge() {}, fullInMs: undefined, rate: UNLIMITED }

const MAX_KEYS = 100_000
/** Limits a client's wait, however much it had in progress at once. */
export const MAX_DEBT_MS = 60_000

/** Time between two requests of a key, and the depth of its bucket, in milliseconds. */
export function paceOf({ quota, periodMs, burst }: Rate) {
  const intervalMs = periodMs / quota
  return { intervalMs, depthMs: intervalMs * burst }
}

/** Rounds up, but for floating-point noise. */
const wholeSeconds = (milliseconds: number) => Math.ceil(milliseconds / 1000 - 1e-6)

// draft-ietf-httpapi-ratelimit-headers-11
const leftHeader = ({ name }: Rate, left: number, seconds: number) => `"${name}";r=${left};t=${seconds}`
const policyHeader = ({ name, quota, periodMs }: Rate) =>
  `"${name}";q=${quota};w=${Math.ceil(periodMs / 1000)}`

export function tooMany(rate: Rate, waitMs: number): Failure {
  const seconds = Math.max(1, wholeSeconds(waitMs))
  return new Failure('rateLimited', {
    headers: {
      'Retry-After': String(seconds),
      RateLimit: leftHeader(rate, 0, seconds),
      'RateLimit-Policy': policyHeader(rate),
    },
  })
}

/** Adds what is left, after charging these units, to the headers of other limits. */
export function addLimitHeaders(headers: Headers, { rate, fullInMs }: Taken, charged: number) {
  if (fullInMs === undefined) return
  const { intervalMs, depthMs } = paceOf(rate)
  const full = fullInMs + charged * intervalMs
  // Rounds away floating-point noise.
  const left = Math.max(0, Math.floor((depthMs - full) / intervalMs + 0.001))
  headers.append('RateLimit', leftHeader(rate, left, wholeSeconds(full)))
  headers.append('RateLimit-Policy', policyHeader(rate))
}

/**
 * A token bucket per key, by the generic cell rate algorithm: a key has one number, the time at which its
 * bucket is full again. Taking is one step, so simultaneous requests can't share the last token.
 */
export function createBucket(rate: Rate, now: () => number) {
  const fullAt = new Map<string, number>()
  const { intervalMs, depthMs } = paceOf(rate)

  /** Drops keys whose bucket is full again, then the longest untouched, until a tenth is free. */
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
      if (full - time > depthMs + 0.001) throw tooMany(rate, full - time - depthMs)
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
