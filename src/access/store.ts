import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { constraintFailure } from '../db/errors'
import { folded, keys, users, usersPermissions } from '../db/schema'
import { Failure } from '../errors'
import type { Permission, Principal } from '../permissions'
import { foldCase } from '../rules/fields'
import type { KeyOwner } from './authenticator'

const noSuchUser = { users_permissions_user_id_users_id_fk: () => new Failure('notFound') }

/** Returns those of the permissions that the user lacked. Throws a 404 when there is no such user. */
export async function grant(
  db: Db | Tx,
  userId: number,
  permissions: readonly Permission[],
): Promise<string[]> {
  if (permissions.length === 0) return []
  try {
    const granted = await db
      .insert(usersPermissions)
      .values(permissions.map((permission) => ({ userId, permission })))
      .onConflictDoNothing()
      .returning({ permission: usersPermissions.permission })
    return granted.map(({ permission }) => permission)
  } catch (error) {
    throw constraintFailure(error, 'users_permissions', noSuchUser)
  }
}

/** Returns those of the permissions that the user had. */
export async function revoke(
  db: Db | Tx,
  userId: number,
  permissions: readonly Permission[],
): Promise<string[]> {
  const taken = await db
    .delete(usersPermissions)
    .where(and(eq(usersPermissions.userId, userId), inArray(usersPermissions.permission, [...permissions])))
    .returning({ permission: usersPermissions.permission })
  return taken.map(({ permission }) => permission)
}

export type Login = { email: string } | { username: string }

/** Condition for the user with this login name, in any case. */
export const hasLogin = (login: Login) =>
  'email' in login
    ? eq(folded(users.email), foldCase(login.email))
    : eq(folded(users.username), foldCase(login.username))

/** The fields that a sign-in or a request for a mail needs. */
export async function findLogin(db: Db, login: Login) {
  const [user] = await db
    .select({
      id: users.id,
      activated: users.activated,
      passwordHash: users.passwordHash,
      tokenGeneration: users.tokenGeneration,
    })
    .from(users)
    .where(hasLogin(login))
  return user
}

export async function findPrincipal(db: Db, userId: number): Promise<Principal | undefined> {
  const [user] = await db
    .select({
      id: users.id,
      name: users.name,
      username: users.username,
      tokenGeneration: users.tokenGeneration,
      activated: users.activated,
      permissions: sql<string>`array_to_string(array(select ${usersPermissions.permission} from ${usersPermissions} where ${usersPermissions.userId} = ${users.id}), ' ')`,
      // Drizzle would leave out the tables of its columns, of which two are called id.
      keyIds: sql<string>`array_to_string(array(select keys.id from ${keys} where user_id = users.id), ' ')`,
    })
    .from(users)
    .where(eq(users.id, userId))
  const words = (list: string) => list.split(' ').filter(Boolean)
  return (
    user && {
      ...user,
      permissions: new Set(words(user.permissions)),
      keyIds: new Set(words(user.keyIds).map(Number)),
    }
  )
}

export async function findKeyOwner(db: Db, hash: Uint8Array): Promise<KeyOwner | undefined> {
  const [owner] = await db
    .select({ keyId: keys.id, userId: keys.userId })
    .from(keys)
    .where(eq(keys.hash, hash))
  return owner
}

/** Invalidates all of the user's authentication tokens, and returns the generation of later ones. */
export async function endSessions(tx: Tx, userId: number): Promise<number> {
  const [user] = await tx
    .update(users)
    .set({ tokenGeneration: sql`${users.tokenGeneration} + 1` })
    .where(eq(users.id, userId))
    .returning({ tokenGeneration: users.tokenGeneration })
  return user?.tokenGeneration ?? 0
}
