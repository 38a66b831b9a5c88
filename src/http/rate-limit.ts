import { Failure } from '../errors'

/** So many at once, refilled evenly over the period; 0 is no limit. */
export type Rate = {
  readonly name: string
  readonly quota: number
  readonly periodMs: number
  readonly burst: number
}
export type Bucket = { take(key: string): { takeBack(): void } }

const MAX_KEYS = 100_000

/**
 * A token bucket a key, by the generic cell rate algorithm: one number a key, the time at which its bucket is full
 * again. Taking is one step, so requests at the same moment can't pass together on the last token.
 */
export function createBucket({ name, quota, periodMs, burst }: Rate, now: () => number): Bucket {
  const fullAt = new Map<string, number>()
  const intervalMs = periodMs / quota
  const depthMs = intervalMs * burst
  const policy = `"${name}";q=${quota};w=${Math.ceil(periodMs / 1000)}`

  function refuse(waitMs: number) {
    const seconds = String(Math.max(1, Math.ceil(waitMs / 1000)))
    return new Failure('rateLimited', {
      headers: {
        'Retry-After': seconds,
        RateLimit: `"${name}";r=0;t=${seconds}`,
        'RateLimit-Policy': policy,
      },
    })
  }

  /** Keys whose bucket is full again are as good as unknown; after them the longest untouched go, a tenth at a time. */
  function makeRoom(time: number) {
    for (const [key, full] of fullAt) if (full <= time) fullAt.delete(key)
    for (const key of fullAt.keys()) {
      if (fullAt.size < 0.9 * MAX_KEYS) break
      fullAt.delete(key)
    }
  }

  return {
    take(key) {
      if (quota === 0) return { takeBack() {} }
      const time = now()
      const full = Math.max(fullAt.get(key) ?? 0, time) + intervalMs
      if (full - time > depthMs + 0.001) throw refuse(full - time - depthMs)
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

export type LimiterConfig = {
  readonly enabled: boolean
  readonly requestsPerSecond: number
  readonly burst: number
  readonly signInsPerMinute: number
  readonly failedSignInsPerMinute: number
  readonly accountFailuresPerMinute: number
  readonly registrationsPerMinute: number
  readonly mailsPerMailboxPerHour: number
  readonly mailsPerAddressPerHour: number
}
export type Limiter = ReturnType<typeof createLimiter>

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** The limits of section 6 of the contract; each throws the 429. An undefined address is exempt. */
export function createLimiter(config: LimiterConfig, now: () => number) {
  const bucket = (name: string, quota: number, periodMs: number, burst = quota) =>
    createBucket({ name, quota: config.enabled ? quota : 0, periodMs, burst }, now)
  const requests = bucket('requests', config.requestsPerSecond, SECOND_MS, config.burst)
  const signIns = bucket('sign-ins', config.signInsPerMinute, MINUTE_MS)
  const failures = bucket('failed-sign-ins', config.failedSignInsPerMinute, MINUTE_MS)
  const accountFailures = bucket('account-failures', config.accountFailuresPerMinute, MINUTE_MS)
  const registrations = bucket('registrations', config.registrationsPerMinute, MINUTE_MS)
  const mailboxMails = bucket('mails-per-mailbox', config.mailsPerMailboxPerHour, HOUR_MS)
  const addressMails = bucket('mails', config.mailsPerAddressPerHour, HOUR_MS)
  const taker = (from: Bucket) => (address: string | undefined) => {
    if (address !== undefined) from.take(address)
  }
  return {
    request: taker(requests),
    signIn: taker(signIns),
    registration: taker(registrations),
    /** Stops one address before it can use up what the account allows, so that it can't lock the account's owner out. */
    failedSignIn(account: string, address: string | undefined) {
      if (address === undefined) return { takeBack() {} }
      const here = failures.take(`${account} ${address}`)
      try {
        const anywhere = accountFailures.take(account)
        return {
          takeBack() {
            here.takeBack()
            anywhere.takeBack()
          },
        }
      } catch (refusal) {
        here.takeBack()
        throw refusal
      }
    },
    mail(mailbox: string, address: string | undefined) {
      if (address === undefined) return
      addressMails.take(address)
      mailboxMails.take(mailbox.toLowerCase())
    },
  }
}
