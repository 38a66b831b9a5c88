import type { Db } from '../db/client'
import { type MailKind, type TokenScope, tokenScopes } from '../db/schema'
import { describeError, type Log } from '../log'
import { pause } from '../waiting'
import { emailChangedLetter, passwordChangedLetter } from './account-news'
import { activationLetter } from './activation'
import { emailChangeLetter } from './email-change'
import type { Letter, LetterValues, Site, TokenLetterValues } from './letter'
import { type Mailer, MailFailure } from './mailer'
import { passwordResetLetter } from './password-reset'
import { type ClaimedMail, extendClaim, markSent, markUnsent } from './store'

export type DeliveryDeps = {
  db: Db
  mailer: Pick<Mailer, 'send'>
  issueToken: (
    userId: number,
    scope: TokenScope,
    recipient: string,
  ) => Promise<{ token: string; expiresAt: Date }>
  publicUrl: string
  site: Site
  log: Log
}

export const timings = {
  /** Mails in delivery at once, from one instance; at most one per user. */
  lanes: 8,
  /** 5 s, 10 s, 20 s … 1 h, 1 h: a day in all, so that a server that fails at night can be fixed by day. */
  firstPauseMs: 5000,
  longestPauseMs: 3_600_000,
  maxTries: 34,
  /** After this time another process takes over the mails of a killed one; a live one renews its lease. */
  leaseMs: 30_000,
  /** How often to look for mails that fall due, or that another instance recorded. */
  pollMs: 1000,
  /** How long a stop waits for mails in delivery; the rest are sent after the next start. */
  stopMs: 20_000,
}
export type OutboxTimings = typeof timings

const tokenLetters: Record<TokenScope, (values: TokenLetterValues) => Letter> = {
  activation: activationLetter,
  'password-reset': passwordResetLetter,
  'email-change': emailChangeLetter,
}
const newsLetters: Record<Exclude<MailKind, TokenScope>, (values: LetterValues) => Letter> = {
  'email-changed': emailChangedLetter,
  'password-changed': passwordChangedLetter,
}
const hasToken = (kind: MailKind): kind is TokenScope => tokenScopes.some((scope) => scope === kind)

/** Logs once when the database goes away, and once when it is back. */
export function createDatabaseNotice(log: Log) {
  let isAway = false
  return {
    failed(error: unknown) {
      if (!isAway) log.warn('mails wait: the database does not answer; retrying', describeError(error))
      isAway = true
    },
    answered() {
      if (isAway) log.info('mails continue: the database answers again')
      isAway = false
    },
  }
}
type DatabaseNotice = ReturnType<typeof createDatabaseNotice>

export type Delivery = ReturnType<typeof createDelivery>

/** Sends one claimed mail at a time per caller, and records the outcome. */
export function createDelivery(deps: DeliveryDeps, settings: OutboxTimings, database: DatabaseNotice) {
  const { db, log } = deps
  const counts = { sent: 0, retried: 0, failed: 0 }
  let isGivenUp = false

  async function recordFailure(mail: ClaimedMail, error: unknown) {
    const isKnown = error instanceof MailFailure
    const pauseMs = isKnown && error.isFinal ? undefined : nextPauseMs(mail.attempts, settings)
    const reason = isKnown ? error.message : `unexpected ${nameOf(error)}`
    await untilWritten(() => markUnsent(db, mail, reason, pauseMs))
    const fields = { mail: mail.id, kind: mail.kind, attempts: mail.attempts, reason }
    if (!isKnown) log.error('a mail could not be composed', { mail: mail.id, ...describeError(error) })
    if (pauseMs === undefined) {
      counts.failed++
      log.error('mail given up', fields)
    } else {
      counts.retried++
      log.warn('mail not sent, will retry', { ...fields, pauseSeconds: pauseMs / 1000 })
    }
  }

  /** An unrecorded outcome would send the mail twice, so this retries while the database is away. */
  async function untilWritten(write: () => Promise<void>) {
    while (!isGivenUp) {
      try {
        return await write()
      } catch (error) {
        database.failed(error)
        await pause(settings.pollMs)
      }
    }
  }

  return {
    counts,
    /** Stops retrying to record outcomes. */
    giveUp() {
      isGivenUp = true
    },
    async deliver(mail: ClaimedMail) {
      const renew = () => extendClaim(db, mail, settings.leaseMs).catch(database.failed)
      const renewal = setInterval(renew, settings.leaseMs / 3)
      try {
        const isNeeded = !isPointless(mail)
        if (isNeeded) await send(deps, mail)
        await untilWritten(() => markSent(db, mail.id))
        if (isNeeded) counts.sent++
        const message = isNeeded ? 'mail sent' : 'mail no longer needed'
        log.info(message, { mail: mail.id, kind: mail.kind, attempts: mail.attempts })
      } catch (error) {
        await recordFailure(mail, error)
      } finally {
        clearInterval(renewal)
      }
    },
  }
}

/** The message of an unknown error may quote the row or the token. */
const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error)

/**
 * RFC 5321 asks not to retry a permanent refusal (no such mailbox, unwanted message), and servers block
 * senders who do. Everything else is retried.
 */
function nextPauseMs(attempts: number, { firstPauseMs, longestPauseMs, maxTries }: OutboxTimings) {
  return attempts < maxTries ? Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1)) : undefined
}

/** Activated meanwhile with an earlier mail, or the address is no longer wanted. */
const isPointless = ({ kind, isActivated, recipient, pendingEmail }: ClaimedMail) =>
  (kind === 'activation' && isActivated) || (kind === 'email-change' && recipient !== pendingEmail)

async function letterOf(deps: DeliveryDeps, { kind, userId, name, recipient }: ClaimedMail) {
  const { issueToken, publicUrl, site } = deps
  const values = { name, publicUrl, site }
  if (!hasToken(kind)) return newsLetters[kind](values)
  return tokenLetters[kind]({ ...values, ...(await issueToken(userId, kind, recipient ?? '')) })
}

async function send(deps: DeliveryDeps, mail: ClaimedMail): Promise<void> {
  const { mailer, publicUrl } = deps
  const { id, recipient, createdAt } = mail
  const letter = await letterOf(deps, mail)
  // The same for each try, so that mail programs recognize a duplicate; the time keeps two databases apart.
  const messageId = `<mail-${id}.${createdAt.getTime()}@${new URL(publicUrl).hostname}>`
  await mailer.send({ to: recipient ?? '', messageId, ...letter })
}
