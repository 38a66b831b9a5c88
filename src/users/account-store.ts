import { and, eq, sql } from 'drizzle-orm'
import { hasLogin } from '../access/store'
import type { Db, Tx } from '../db/client'
import { constraintFailure } from '../db/errors'
import { users } from '../db/schema'
import type { Counts } from './account-model'
import type { User } from './model'
import { columns, refusals } from './store'

/** A user with the password's hash, to check it. */
export async function findAccount(db: Db, id: number) {
  const [account] = await db
    .select({ ...columns, passwordHash: users.passwordHash })
    .from(users)
    .where(eq(users.id, id))
  return account
}
export type Account = NonNullable<Awaited<ReturnType<typeof findAccount>>>

export async function countsOf(db: Db, id: number): Promise<Counts> {
  const [counts] = await db.execute<Record<keyof Counts, string>>(sql`
    select (select count(*) from movies where created_by = ${id}) as movies,
      (select count(*) from favourites where user_id = ${id}) as favourites,
      (select count(*) from keys where user_id = ${id}) as keys`)
  return {
    movies: Number(counts?.movies),
    favourites: Number(counts?.favourites),
    keys: Number(counts?.keys),
  }
}

export async function isTaken(db: Db, email: string): Promise<boolean> {
  const found = await db.select({ id: users.id }).from(users).where(hasLogin({ email }))
  return found.length > 0
}

/** Two changes of one account come one after the other, and each before it looks at tokens. */
export async function lockAccount(tx: Tx, id: number) {
  const [account] = await tx.select(columns).from(users).where(eq(users.id, id)).for('no key update')
  return account
}

export type NewAccount = Partial<{
  name: string
  username: string | null
  pendingEmail: string | null
  passwordHash: string
}>

/**
 * Undefined when the user is gone or, given the hash of a password, has another one by now. Throws a 422 for a
 * taken username.
 */
export async function updateAccount(
  tx: Tx,
  id: number,
  changes: NewAccount,
  provenHash: string | null | undefined,
): Promise<User | undefined> {
  try {
    const [updated] = await tx
      .update(users)
      .set(changes)
      .where(and(eq(users.id, id), provenHash ? eq(users.passwordHash, provenHash) : undefined))
      .returning(columns)
    return updated
  } catch (error) {
    throw constraintFailure(error, 'users', refusals)
  }
}

/** Makes a pending address the user's own; undefined when another one is pending. Throws a 422 if it is taken. */
export async function adoptEmail(tx: Tx, id: number, email: string): Promise<User | undefined> {
  try {
    const [updated] = await tx
      .update(users)
      .set({ email, pendingEmail: null })
      .where(and(eq(users.id, id), eq(users.pendingEmail, email)))
      .returning(columns)
    return updated
  } catch (error) {
    throw constraintFailure(error, 'users', refusals)
  }
}
