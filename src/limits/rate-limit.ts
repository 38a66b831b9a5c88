import type { Config } from '../config/config'
import { Failure } from '../errors'
import { foldCase } from '../rules/fields'
import { type Bucket, createBucket, NOTHING, type Rate, type Taken } from './bucket'
import { EXEMPT, type LimitKey } from './client-address'
import { type SharedCounts, shareBucket } from './shared-bucket'

export type Limiter = ReturnType<typeof createLimiter>

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** Per hour and mailbox; further registrations count as requested mails. */
const FREE_REGISTRATION_MAILS = 9

const FREE_BYTES = 65_536
const FREE_DATABASE_MS = 20
type Cost = { readonly bodyBytes: number; readonly answerBytes: number; readonly databaseMs: number }

/** Extra requests that one counts for, in proportion to its use beyond what is free. */
export function unitsBeyondOne({ bodyBytes, answerBytes, databaseMs }: Cost): number {
  const beyond = (used: number, free: number) => Math.max(0, used / free - 1)
  return (
    beyond(bodyBytes, FREE_BYTES) + beyond(answerBytes, FREE_BYTES) + beyond(databaseMs, FREE_DATABASE_MS)
  )
}

type Limits = Config['limiter']

function createBuckets(config: Limits, now: () => number, counts: SharedCounts | undefined) {
  const bucket = (name: string, quota: number, periodMs: number, burst = quota) => {
    const rate: Rate = { name, quota: config.enabled ? quota : 0, periodMs, burst }
    const own = createBucket(rate, now)
    return counts === undefined ? own : shareBucket(rate, own, counts)
  }
  const mailboxQuota = config.mailsPerMailboxPerHour === 0 ? 0 : FREE_REGISTRATION_MAILS
  return {
    requests: bucket('requests', config.requestsPerSecond, SECOND_MS, config.burst),
    keyRequests: bucket('key', config.keyRequestsPerSecond, SECOND_MS, config.keyBurst),
    signIns: bucket('sign-ins', config.signInsPerMinute, MINUTE_MS),
    failedSignIns: bucket('failed-sign-ins', config.failedSignInsPerMinute, MINUTE_MS),
    accountFailures: bucket('account-failures', config.accountFailuresPerMinute, MINUTE_MS),
    registrations: bucket('registrations', config.registrationsPerMinute, MINUTE_MS),
    mailboxMails: bucket('mails-per-mailbox', config.mailsPerMailboxPerHour, HOUR_MS),
    registrationMails: bucket('registration-mails', mailboxQuota, HOUR_MS),
    addressMails: bucket('mails', config.mailsPerAddressPerHour, HOUR_MS),
  }
}

/**
 * The limits of section 6 of the contract; each throws the 429. Without shared counts a request takes its
 * turn synchronously.
 */
export function createLimiter(config: Limits, now: () => number, counts?: SharedCounts) {
  const {
    requests,
    keyRequests,
    signIns,
    failedSignIns,
    accountFailures,
    registrations,
    mailboxMails,
    registrationMails,
    addressMails,
  } = createBuckets(config, now, counts)
  const taker = (from: Bucket) => (address: LimitKey) => (address === EXEMPT ? NOTHING : from.take(address))
  return {
    isOn: config.enabled,
    request: taker(requests),
    /** Applies to exempt addresses too. */
    key: (keyId: number) => keyRequests.take(String(keyId)),
    signIn: taker(signIns),
    /** The result is taken back when no mail is sent, or a stranger could use up the owner's mails. */
    async registration(email: string, address: LimitKey): Promise<Taken> {
      if (address === EXEMPT) return NOTHING
      await registrations.take(address)
      const mailbox = mailboxOf(email)
      return (await takeUnlessRefused(registrationMails, mailbox)) ?? mailboxMails.take(mailbox)
    },
    /**
     * Limits one address before it can use up an account's failures, so that it can't lock the owner out.
     * Each 429 concerns the given name, known or not, so it doesn't reveal which names share an account.
     */
    async failedSignIn(name: string, address: LimitKey) {
      if (address === EXEMPT) return { countAccount: async () => true, takeBack: async () => {} }
      const folded = foldCase(name)
      const taken = [await failedSignIns.take(`${folded} ${address}`)]
      async function takeBack() {
        await Promise.all(taken.map((each) => each.takeBack()))
      }
      try {
        taken.push(await accountFailures.take(`name ${folded}`))
      } catch (refused) {
        await takeBack()
        throw refused
      }
      return {
        async countAccount(account: string): Promise<boolean> {
          const counted = await takeUnlessRefused(accountFailures, account)
          if (counted !== undefined) taken.push(counted)
          return counted !== undefined
        },
        takeBack,
      }
    },
    async mail(email: string, address: LimitKey): Promise<void> {
      if (address === EXEMPT) return
      await addressMails.take(address)
      await mailboxMails.take(mailboxOf(email))
    },
  }
}

/** Undefined when the key has used up its share. */
async function takeUnlessRefused(bucket: Bucket, key: string): Promise<Taken | undefined> {
  try {
    return await bucket.take(key)
  } catch (error) {
    if (error instanceof Failure && error.code === 'rateLimited') return undefined
    throw error
  }
}

/** The mailbox of an address: most providers ignore what stands between + and @. */
function mailboxOf(email: string): string {
  const [, local, domain] = /^([^+]+)\+.*(@[^@]*)$/s.exec(email) ?? [undefined, email, '']
  return foldCase(`${local}${domain}`)
}
