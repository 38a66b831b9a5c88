import { type Bucket, createBucket, NOTHING, type Rate, type Taken } from './bucket'
import { type SharedCounts, shareBucket } from './shared-bucket'

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

/**
 * The limits of section 6 of the contract; each throws the 429. An undefined address is exempt. Counted here alone, a
 * request takes its turn without waiting for one.
 */
export function createLimiter(config: LimiterConfig, now: () => number, counts?: SharedCounts) {
  const bucket = (name: string, quota: number, periodMs: number, burst = quota) => {
    const rate: Rate = { name, quota: config.enabled ? quota : 0, periodMs, burst }
    const own = createBucket(rate, now)
    return counts === undefined ? own : shareBucket(rate, own, counts)
  }
  const requests = bucket('requests', config.requestsPerSecond, SECOND_MS, config.burst)
  const signIns = bucket('sign-ins', config.signInsPerMinute, MINUTE_MS)
  const failures = bucket('failed-sign-ins', config.failedSignInsPerMinute, MINUTE_MS)
  const accountFailures = bucket('account-failures', config.accountFailuresPerMinute, MINUTE_MS)
  const registrations = bucket('registrations', config.registrationsPerMinute, MINUTE_MS)
  const mailboxMails = bucket('mails-per-mailbox', config.mailsPerMailboxPerHour, HOUR_MS)
  const addressMails = bucket('mails', config.mailsPerAddressPerHour, HOUR_MS)
  const taker = (from: Bucket) => (address: string | undefined) =>
    address === undefined ? NOTHING : from.take(address)
  return {
    isOn: config.enabled,
    request: taker(requests),
    signIn: taker(signIns),
    registration: taker(registrations),
    /** Stops one address before it can use up what the account allows, so that it can't lock the account's owner out. */
    async failedSignIn(account: string, address: string | undefined): Promise<Taken> {
      if (address === undefined) return NOTHING
      const here = await failures.take(`${account} ${address}`)
      try {
        const anywhere = await accountFailures.take(account)
        return {
          async takeBack() {
            await Promise.all([here.takeBack(), anywhere.takeBack()])
          },
        }
      } catch (refused) {
        await here.takeBack()
        throw refused
      }
    },
    async mail(mailbox: string, address: string | undefined): Promise<void> {
      if (address === undefined) return
      await addressMails.take(address)
      await mailboxMails.take(mailbox.toLowerCase())
    },
  }
}
