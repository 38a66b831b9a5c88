import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { hasLogin } from '../access/store'
import type { Db, Tx } from '../db/client'
import { constraintFailure } from '../db/errors'
import { BUILT_IN_USER_ID, movies, users, usersPermissions } from '../db/schema'
import { invalid } from '../errors'
import type { User } from './model'

export const columns = {
  id: users.id,
  createdAt: users.createdAt,
  name: users.name,
  email: users.email,
  pendingEmail: users.pendingEmail,
  username: users.username,
  activated: users.activated,
}
const permissionNames = sql<string>`array_to_string(array(select ${usersPermissions.permission} from ${usersPermissions} where ${usersPermissions.userId} = ${users.id} order by 1), ' ')`
/** A user's columns, with their permissions for `withPermissions`. */
export const userColumns = { ...columns, permissions: permissionNames }
/** Splits the permissions of a row. */
export const withPermissions = <Row extends { permissions: string }>(row: Row) => ({
  ...row,
  permissions: row.permissions.split(' ').filter(Boolean),
})

export const emailIsTaken = () => invalid({ email: 'a user with this email address already exists' })

export const refusals = {
  users_email_key: emailIsTaken,
  users_username_key: () => invalid({ username: 'a user with this username already exists' }),
}

export type NewUser = {
  name: string
  email: string
  username: string | null
  passwordHash: string
  activated?: boolean
}

/** Throws a 422 on the field that another user has already. */
export async function insertUser(tx: Tx, user: NewUser): Promise<User> {
  try {
    const [inserted] = await tx.insert(users).values(user).returning(columns)
    if (inserted === undefined) throw new Error('the insert returned no row')
    return inserted
  } catch (error) {
    throw constraintFailure(error, 'users', refusals)
  }
}

/** Undefined when there is no such user or, if so wished, when the user was active before. */
export async function activateUser(
  tx: Tx,
  userId: number,
  { unlessActive = false } = {},
): Promise<User | undefined> {
  const [user] = await tx
    .update(users)
    .set({ activated: true, pendingEmail: null })
    .where(and(eq(users.id, userId), unlessActive ? sql`not ${users.activated}` : undefined))
    .returning(columns)
  return user
}

/** Ends the wait for another address, which somebody with the old password may have asked for. */
export async function setPassword(tx: Tx, userId: number, passwordHash: string): Promise<void> {
  await tx.update(users).set({ passwordHash, pendingEmail: null }).where(eq(users.id, userId))
}

export async function findUser(db: Db, userId: number) {
  const [user] = await db.select(userColumns).from(users).where(eq(users.id, userId))
  return user && withPermissions(user)
}

/** By email address or username (which has no @), in any case. */
export async function findUserByLogin(db: Db, login: string) {
  const [user] = await db
    .select(userColumns)
    .from(users)
    .where(hasLogin(login.includes('@') ? { email: login } : { username: login }))
  return user && withPermissions(user)
}

/** Users by ascending id, after `afterId`. */
export async function listUsers(db: Db, afterId: number, limit: number) {
  const page = await db
    .select(userColumns)
    .from(users)
    .where(gt(users.id, afterId))
    .orderBy(asc(users.id))
    .limit(limit)
  return page.map(withPermissions)
}

/**
 * Removes a user and everything of theirs except movies, which go to the built-in account. Returns the user
 * and how many movies they had; undefined when there is no such user.
 */
export async function removeUser(
  tx: Tx,
  userId: number,
): Promise<{ user: User; movies: number } | undefined> {
  if (userId === BUILT_IN_USER_ID) return undefined
  // Locks the user, so a movie they are adding is either committed before or refused.
  await tx.select({ id: users.id }).from(users).where(eq(users.id, userId)).for('update')
  const { count } = await tx
    .update(movies)
    .set({ createdBy: BUILT_IN_USER_ID, version: sql`${movies.version} + 1` })
    .where(eq(movies.createdBy, userId))
  const [user] = await tx.delete(users).where(eq(users.id, userId)).returning(columns)
  return user && { user, movies: count }
}

const INACTIVE_DAYS = 30

/** Removes accounts that were never activated, and so could add no movies. */
export async function purgeInactiveUsers(db: Db): Promise<void> {
  await db
    .delete(users)
    .where(
      and(
        sql`not ${users.activated}`,
        sql`${users.createdAt} < now() - make_interval(days => ${INACTIVE_DAYS})`,
        sql`${users.id} <> ${BUILT_IN_USER_ID}`,
      ),
    )
}
