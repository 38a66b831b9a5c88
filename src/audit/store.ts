import { and, count, desc, eq, gte, isNull, lt, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { auditEvents } from '../db/schema'
import type { AuditEvent, Author, Detail, EventList, NewEvent } from './model'

/** Records an event in the transaction of its cause, so that both are committed or neither. */
export async function recordEvent(tx: Tx, author: Author, event: NewEvent): Promise<number> {
  const [recorded] = await tx
    .insert(auditEvents)
    .values(rowOf(author, event))
    .returning({ id: auditEvents.id })
  if (recorded === undefined) throw new Error('the insert returned no row')
  return recorded.id
}

/** Keeps a statement under the 65,534 parameters that PostgreSQL takes. */
const ROWS_AT_ONCE = 1000

/** The same for several, perhaps none. */
export async function recordEvents(tx: Tx, author: Author, events: readonly NewEvent[]): Promise<void> {
  const rows = events.map((event) => rowOf(author, event))
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE)
    await tx.insert(auditEvents).values(rows.slice(start, start + ROWS_AT_ONCE))
}

/** For work in several transactions, each of which brings the event up to date. */
export async function updateDetail(tx: Tx, eventId: number, detail: Detail): Promise<void> {
  await tx.update(auditEvents).set({ detail }).where(eq(auditEvents.id, eventId))
}

const rowOf = ({ actor, requestId, by }: Author, { action, subject, detail }: NewEvent) => ({
  actorId: actor?.id,
  actorName: actor?.name,
  action,
  subjectKind: subject.kind,
  subjectId: subject.id,
  subjectName: subject.name,
  detail: by === undefined ? detail : { ...detail, by },
  requestId,
})

/** Events, newest first. Page and total come from one snapshot. */
export async function listEvents(
  db: Db,
  { actorId, action, subject, from, before, page, pageSize }: EventList,
): Promise<{ rows: AuditEvent[]; total: number }> {
  const ofSubject =
    subject &&
    and(
      eq(auditEvents.subjectKind, subject.kind),
      subject.id === null ? isNull(auditEvents.subjectId) : eq(auditEvents.subjectId, subject.id),
    )
  const where = and(
    actorId === undefined ? undefined : eq(auditEvents.actorId, actorId),
    action === undefined ? undefined : eq(auditEvents.action, action),
    ofSubject,
    from && gte(auditEvents.at, from),
    before && lt(auditEvents.at, before),
  )
  return db.transaction(
    async (tx) => {
      const [counted] = await tx.select({ total: count() }).from(auditEvents).where(where)
      const rows = await tx
        .select()
        .from(auditEvents)
        .where(where)
        .orderBy(desc(auditEvents.id))
        .limit(pageSize)
        .offset((page - 1) * pageSize)
      return { rows, total: counted?.total ?? 0 }
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
}

export async function purgeEvents(db: Db, keepSeconds: number): Promise<void> {
  await db
    .delete(auditEvents)
    .where(lt(auditEvents.at, sql`now() - make_interval(secs => ${keepSeconds}::float8)`))
}
