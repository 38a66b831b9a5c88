import { isNull, lt, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { mails } from '../db/schema'
import { describeError, type Log } from '../log'
import { activationLetter } from './activation'
import { type Mailer, MailFailure } from './mailer'
import { passwordResetLetter } from './password-reset'
import { type ClaimedMail, claimMail, extendClaim, type MailKind, markSent, markUnsent } from './store'

export type { MailKind } from './store'

export type OutboxDeps = {
  db: Db
  mailer: Pick<Mailer, 'send'>
  issueToken: (userId: number, scope: MailKind) => Promise<{ token: string; expiresAt: Date }>
  publicUrl: string
  log: Log
}

const defaults = {
  /** Mails on their way at once, from one instance; of one user never more than one. */
  lanes: 8,
  /** 5 s, 10 s, 20 s … 1 h, 1 h: a day in all, so that a server may be down over night and be mended by day. */
  firstPauseMs: 5000,
  longestPauseMs: 3_600_000,
  maxTries: 34,
  /** After so long the mails of a killed process are taken up again; whoever lives renews it in time. */
  leaseMs: 30_000,
  /** How often mails that fall due, or that another instance recorded, are looked for. */
  pollMs: 1000,
  /** How long a stop waits for the mails on their way; those left behind are sent after the next start. */
  stopPatienceMs: 20_000,
}
export type OutboxTimings = typeof defaults

const letters = { activation: activationLetter, 'password-reset': passwordResetLetter }

/** Call it in the transaction of what the mail is about: both are there, or neither. */
export async function recordMail(tx: Tx, mail: { userId: number; kind: MailKind }): Promise<void> {
  await tx.insert(mails).values(mail)
}

/** Failed are those given up. With failed_at and attempts set back (null, 0) they are tried again. */
export async function countMails(db: Db): Promise<{ waiting: number; failed: number }> {
  const [counts] = await db
    .select({
      waiting: sql<number>`count(*) filter (where ${mails.failedAt} is null)`.mapWith(Number),
      failed: sql<number>`count(*) filter (where ${mails.failedAt} is not null)`.mapWith(Number),
    })
    .from(mails)
    .where(isNull(mails.sentAt))
  return counts ?? { waiting: 0, failed: 0 }
}

/** Removes the mails sent over 7 days ago. */
export async function purgeMails(db: Db): Promise<void> {
  await db.delete(mails).where(lt(mails.sentAt, sql`now() - interval '7 days'`))
}

/**
 * Sends what is recorded. A mail counts as sent once the SMTP server has taken it over; a process that dies between
 * that and writing it down sends it twice, with one Message-ID, which is the best that SMTP allows.
 */
export function startOutbox(deps: OutboxDeps, overrides: Partial<OutboxTimings> = {}) {
  const { db, log } = deps
  const timings = { ...defaults, ...overrides }
  const counts = { sent: 0, retried: 0, failed: 0 }
  const onTheirWay = new Map<number, Promise<void>>()
  let wake = Promise.withResolvers<void>()
  let isStopping = false
  let isGivenUp = false
  let isDatabaseAway = false

  const kick = () => wake.resolve()

  async function run() {
    while (!isStopping) {
      wake = Promise.withResolvers()
      await fillLanes().catch(databaseFailed)
      const timer = setTimeout(kick, timings.pollMs)
      if (!isStopping) await wake.promise
      clearTimeout(timer)
    }
  }

  async function fillLanes() {
    while (!isStopping && onTheirWay.size < timings.lanes) {
      const mail = await claimMail(db, [...onTheirWay.keys()], timings.leaseMs)
      databaseAnswered()
      if (mail === undefined) return
      const done = deliver(mail).finally(() => {
        onTheirWay.delete(mail.userId)
        kick()
      })
      onTheirWay.set(mail.userId, done)
    }
  }

  async function deliver(mail: ClaimedMail) {
    const renewal = setInterval(
      () => extendClaim(db, mail, timings.leaseMs).catch(databaseFailed),
      timings.leaseMs / 3,
    )
    try {
      // Activated meanwhile, with an earlier mail: there is nothing left to say.
      const isNeeded = mail.kind !== 'activation' || !mail.isActivated
      if (isNeeded) await send(deps, mail)
      await untilWritten(() => markSent(db, mail.id))
      if (isNeeded) counts.sent++
      log.info(isNeeded ? 'mail sent' : 'mail no longer needed', {
        mail: mail.id,
        kind: mail.kind,
        attempts: mail.attempts,
      })
    } catch (error) {
      await recordFailure(mail, error)
    } finally {
      clearInterval(renewal)
    }
  }

  async function recordFailure(mail: ClaimedMail, error: unknown) {
    const isKnown = error instanceof MailFailure
    const pauseMs = isKnown && error.isFinal ? undefined : nextPauseMs(mail.attempts, timings)
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

  /** What became of a mail must be written down, or it is sent twice; so for as long as the database is away. */
  async function untilWritten(write: () => Promise<void>) {
    while (!isGivenUp) {
      try {
        return await write()
      } catch (error) {
        databaseFailed(error)
        await Bun.sleep(timings.pollMs)
      }
    }
  }

  function databaseFailed(error: unknown) {
    if (!isDatabaseAway)
      log.warn('mails wait: the database does not answer; it is tried again', describeError(error))
    isDatabaseAway = true
  }

  function databaseAnswered() {
    if (isDatabaseAway) log.info('mails go on: the database answers again')
    isDatabaseAway = false
  }

  const running = run()
  return {
    counts,
    /** Looks for due mails at once. */
    kick,
    /** Takes up no more mails, and waits for those on their way. */
    async stop() {
      isStopping = true
      kick()
      await running
      const patience = Promise.withResolvers<void>()
      const timer = setTimeout(patience.resolve, timings.stopPatienceMs)
      await Promise.race([Promise.all(onTheirWay.values()), patience.promise])
      clearTimeout(timer)
      isGivenUp = true
    },
  }
}

/**
 * A refusal for good (the mailbox does not exist, the message is not wanted) is not tried again: RFC 5321 asks for
 * that, and servers block a sender who keeps knocking. All else is, up to the last try.
 */
function nextPauseMs(attempts: number, { firstPauseMs, longestPauseMs, maxTries }: OutboxTimings) {
  return attempts < maxTries ? Math.min(longestPauseMs, firstPauseMs * 2 ** (attempts - 1)) : undefined
}

async function send({ mailer, issueToken, publicUrl }: OutboxDeps, mail: ClaimedMail): Promise<void> {
  const { id, kind, userId, name, email, createdAt } = mail
  const { token, expiresAt } = await issueToken(userId, kind)
  const letter = letters[kind]({ name, token, expiresAt, publicUrl })
  // The same for each try, so that whoever got a mail twice can tell; the time keeps two databases apart.
  const messageId = `<mail-${id}.${createdAt.getTime()}@${new URL(publicUrl).hostname}>`
  await mailer.send({ to: email ?? '', messageId, ...letter })
}
