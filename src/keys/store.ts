import { and, desc, eq, isNull, lt, or, sql } from 'drizzle-orm'
import { keyCreated, keyRevoked } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent } from '../audit/store'
import type { Db, Tx } from '../db/client'
import { keys, users } from '../db/schema'
import { Failure, invalid } from '../errors'
import { type Key, MAX_KEYS_PER_USER } from './model'

const columns = {
  id: keys.id,
  name: keys.name,
  prefix: keys.prefix,
  createdAt: keys.createdAt,
  lastUsedOn: keys.lastUsedOn,
}

type NewKey = { userId: number; name: string; prefix: string; hash: Uint8Array }

/** Throws a 422 when the user has as many keys as one may have, and a 401 when the user is gone. */
export const insertKey = (db: Db, author: Author, key: NewKey): Promise<Key> =>
  db.transaction(async (tx) => {
    const owner = await lockOwner(tx, key.userId)
    const owned = await tx.$count(keys, eq(keys.userId, key.userId))
    if (owned >= MAX_KEYS_PER_USER)
      throw invalid({
        name: `you already have ${MAX_KEYS_PER_USER} keys, the most that are allowed: revoke one first`,
      })
    const [inserted] = await tx.insert(keys).values(key).returning(columns)
    if (inserted === undefined) throw new Error('the insert returned no row')
    await recordEvent(tx, author, keyCreated(inserted, owner))
    return inserted
  })

/** Keys of one user are made one after the other, so that they can be counted. */
async function lockOwner(tx: Tx, userId: number) {
  const [owner] = await ownerOf(tx, userId).for('no key update')
  if (owner === undefined) throw new Failure('invalidAuthenticationToken')
  return owner
}

const ownerOf = (tx: Tx, userId: number) =>
  tx.select({ id: users.id, name: users.name }).from(users).where(eq(users.id, userId))

/** Newest first. */
export const listKeys = (db: Db, userId: number): Promise<Key[]> =>
  db.select(columns).from(keys).where(eq(keys.userId, userId)).orderBy(desc(keys.id))

/** Deletes a key, of any user or of this one, and returns its owner; undefined when there is none. */
export const deleteKey = (db: Db, author: Author, id: number, userId?: number) =>
  db.transaction(async (tx) => {
    const [deleted] = await tx
      .delete(keys)
      .where(and(eq(keys.id, id), userId === undefined ? undefined : eq(keys.userId, userId)))
      .returning({ ...columns, userId: keys.userId })
    const [owner] = deleted === undefined ? [] : await ownerOf(tx, deleted.userId)
    if (deleted && owner) await recordEvent(tx, author, keyRevoked(deleted, owner))
    return deleted
  })

export type OwnedKey = Key & { owner: { id: number; email: string | null; username: string | null } }

/** Keys of all users, or of one, newest first, before the id `beforeId`. */
export function listAllKeys(
  db: Db,
  { userId, beforeId, limit }: { userId?: number; beforeId?: number; limit: number },
): Promise<OwnedKey[]> {
  return db
    .select({ ...columns, owner: { id: users.id, email: users.email, username: users.username } })
    .from(keys)
    .innerJoin(users, eq(users.id, keys.userId))
    .where(
      and(
        userId === undefined ? undefined : eq(keys.userId, userId),
        beforeId === undefined ? undefined : lt(keys.id, beforeId),
      ),
    )
    .orderBy(desc(keys.id))
    .limit(limit)
}

/** Records that these keys were used on a day, unless they were used later. */
export async function recordUses(db: Db, ids: readonly number[], day: string): Promise<void> {
  await db
    .update(keys)
    .set({ lastUsedOn: day })
    .where(
      and(
        sql`${keys.id} = any(${sql.param(`{${ids.join()}}`)}::bigint[])`,
        or(isNull(keys.lastUsedOn), lt(keys.lastUsedOn, day)),
      ),
    )
}
