import { and, eq, inArray } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { refusal } from '../db/errors'
import { usersPermissions } from '../db/schema'
import { Failure } from '../errors'
import type { Permission } from '../permissions'

const noSuchUser = { users_permissions_user_id_users_id_fk: () => new Failure('notFound') }

/** Throws a 404 when there is no such user. */
export async function grant(db: Db | Tx, userId: number, permissions: readonly Permission[]): Promise<void> {
  if (permissions.length === 0) return
  try {
    await db
      .insert(usersPermissions)
      .values(permissions.map((permission) => ({ userId, permission })))
      .onConflictDoNothing()
  } catch (error) {
    throw refusal(error, 'users_permissions', noSuchUser)
  }
}

/** Tells which of the permissions the user had. */
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
