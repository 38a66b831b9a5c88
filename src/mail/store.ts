import { and, asc, eq, inArray, isNull, lt, lte, notInArray, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { type MailKind, mailKinds, mails, users } from '../db/schema'

const isWaiting = and(isNull(mails.sentAt), isNull(mails.failedAt))
const inMs = (milliseconds: number) => sql`now() + make_interval(secs => ${milliseconds / 1000}::float8)`

/**
 * Leases one due mail; unless this process renews the lease, any instance can claim it again. Mails never
 * tried come first, so that hopeless ones hold nobody up.
 */
export async function claimMail(db: Db, busyUserIds: readonly number[], leaseMs: number) {
  // Compared with `=`, not `in`: otherwise the planner may run it, and lock another row, more than once.
  const next = db
    .select({ id: mails.id })
    .from(mails)
    .where(
      and(
        isWaiting,
        lte(mails.dueAt, sql`now()`),
        notInArray(mails.userId, [...busyUserIds]),
        // A later version, running alongside during an upgrade, may have more kinds.
        inArray(mails.kind, [...mailKinds]),
      ),
    )
    .orderBy(asc(mails.attempts), asc(mails.dueAt))
    .limit(1)
    .for('update', { skipLocked: true })
  const [mail] = await db
    .update(mails)
    .set({ attempts: sql`${mails.attempts} + 1`, dueAt: inMs(leaseMs) })
    .from(users)
    .where(and(eq(mails.userId, users.id), eq(mails.id, next)))
    .returning({
      id: mails.id,
      kind: sql<MailKind>`${mails.kind}`,
      createdAt: mails.createdAt,
      attempts: mails.attempts,
      userId: users.id,
      name: users.name,
      recipient: sql<string | null>`coalesce(${mails.recipient}, ${users.email})`,
      pendingEmail: users.pendingEmail,
      isActivated: users.activated,
    })
  return mail
}
export type ClaimedMail = NonNullable<Awaited<ReturnType<typeof claimMail>>>

export async function extendClaim(db: Db, { id, attempts }: ClaimedMail, leaseMs: number): Promise<void> {
  await db
    .update(mails)
    .set({ dueAt: inMs(leaseMs) })
    .where(and(eq(mails.id, id), eq(mails.attempts, attempts), isWaiting))
}

/** Without a claim check: it is sent, whichever instance holds the lease now. */
export async function markSent(db: Db, id: number): Promise<void> {
  await db.update(mails).set({ sentAt: sql`now()`, failedAt: null, lastError: null }).where(eq(mails.id, id))
}

/** Due again after the pause; without one it is given up, and kept. */
export async function markUnsent(
  db: Db,
  { id, attempts }: ClaimedMail,
  reason: string,
  pauseMs: number | undefined,
): Promise<void> {
  const next = pauseMs === undefined ? { failedAt: sql`now()` } : { dueAt: inMs(pauseMs) }
  await db
    .update(mails)
    .set({ ...next, lastError: reason })
    .where(and(eq(mails.id, id), eq(mails.attempts, attempts), isWaiting))
}

/**
 * Without a recipient, it goes to the user's address when it is sent. Runs in the transaction that causes the mail, so that both are committed or neither. */
export async function recordMail(
  tx: Tx,
  mail: { userId: number; kind: MailKind; recipient?: string },
): Promise<void> {
  await tx.insert(mails).values(mail)
}

/** `failed` counts mails given up; setting failed_at to null and attempts to 0 retries them. */
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

/** Removes mails sent over 7 days ago. */
export async function purgeMails(db: Db): Promise<void> {
  await db.delete(mails).where(lt(mails.sentAt, sql`now() - interval '7 days'`))
}
