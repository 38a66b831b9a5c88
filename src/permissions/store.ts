import { and, eq, inArray } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { usersPermissions } from '../db/schema'
import type { Permission } from './model'

export async function grant(db: Db | Tx, userId: number, permissions: readonly Permission[]): Promise<void> {
  if (permissions.length === 0) return
  await db
    .insert(usersPermissions)
    .values(permissions.map((permission) => ({ userId, permission })))
    .onConflictDoNothing()
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
