import type { Db } from '../db/client'
import type { MailKind } from '../db/schema'
import { describeError, type Log } from '../log'
import { pause } from '../waiting'
import { activationLetter } from './activation'
import { type Mailer, MailFailure } from './mailer'
import { passwordResetLetter } from './password-reset'
import { type ClaimedMail, extendClaim, markSent, markUnsent } from './store'

export type DeliveryDeps = {
  db: Db
  mailer: Pick<Mailer, 'send'>
  issueToken: (userId: number, scope: MailKind) => Promise<{ token: string; expiresAt: Date }>
  publicUrl: string
  log: Log
}

export const timings = {
  /** Mails in delivery at once, from one instance; of one user never more than one. */
  lanes: 8,
  /** 5 s, 10 s, 20 s … 1 h, 1 h: a day in all, so that a server may fail at night and be fixed by day. */
  firstPauseMs: 5000,
  longestPauseMs: 3_600_000,
  maxTries: 34,
  /** After this time the mails of a killed process are taken up again; a live one renews it before. */
  leaseMs: 30_000,
  /** How often mails that fall due, or that another instance recorded, are looked for. */
  pollMs: 1000,
  /** How long a stop waits for mails in delivery; those left behind are sent after the next start. */
  stopMs: 20_000,
}
export type OutboxTimings = typeof timings

const letters = { activation: activationLetter, 'password-reset': passwordResetLetter }

/** Says once that the database went away, and once that it is back. */
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

/** Sends one claimed mail at a time to each caller, and writes down what became of it. */
export function createDelivery(deps: DeliveryDeps, settings: OutboxTimings, database: DatabaseNotice) {
  const { db, log } = deps
  const counts = { sent: 0, retried: 0, failed: 0 }
  let isGivenUp = false

  async function recordFailure(mail: ClaimedMail, error: unknown) {
    const isKnown = error instanceof MailFailure
    const pauseMs = isKnown && error.isFinal ? undefined : nextPauseMs(mail.attempts, settings)
    // Any other error may quote the row or the token that it was about.
    const reason = isKnown
      ? error.message
      : `unexpected ${error instanceof Error ? error.name : typeof error}`
    await untilWritten(() => markUnsent(db, mail, reason, pauseMs))
    const fields = { mail: mail.id, kind: mail.kind, attempts: mail.attempts, reason }
    if (!isKnown) log.error('a mail could not be made', { mail: mail.id, ...describeError(error) })
    if (pauseMs === undefined) {
      counts.failed++
      log.error('mail given up', fields)
    } else {
      counts.retried++
      log.warn('mail not sent, it will be tried again', { ...fields, pauseSeconds: pauseMs / 1000 })
    }
  }

  /** The outcome of a mail must be written down, or it is sent twice; so this retries while the database is away. */
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
    /** Stops retrying to write down outcomes. */
    giveUp() {
      isGivenUp = true
    },
    async deliver(mail: ClaimedMail) {
      const renew = () => extendClaim(db, mail, settings.leaseMs).catch(database.failed)
      const renewal = setInterval(renew, settings.leaseMs / 3)
      try {
        // Activated meanwhile, with an earlier mail: nothing is left to say.
        const isNeeded = mail.kind !== 'activation' || !mail.isActivated
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

/**
 * A permanent refusal (the mailbox does not exist, the message is not wanted) is not retried: RFC 5321 asks for that,
 * and servers block a sender who keeps trying. Everything else is, up to the last try.
 */
function nextPauseMs(attempts: number, { firstPauseMs, longestPauseMs, maxTries }: OutboxTimings) {
  return attempts < maxTries ? Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1)) : undefined
}

async function send({ mailer, issueToken, publicUrl }: DeliveryDeps, mail: ClaimedMail): Promise<void> {
  const { id, kind, userId, name, email, createdAt } = mail
  const { token, expiresAt } = await issueToken(userId, kind)
  const letter = letters[kind]({ name, token, expiresAt, publicUrl })
  // The same for each try, so that a reader who gets a mail twice can tell; the time keeps two databases apart.
  const messageId = `<mail-${id}.${createdAt.getTime()}@${new URL(publicUrl).hostname}>`
  await mailer.send({ to: email ?? '', messageId, ...letter })
}
