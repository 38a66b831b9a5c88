import { and, count, eq, ne, type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { BUILT_IN_USER_ID, users, usersPermissions } from '../db/schema'
import type { Permission } from '../permissions'
import type { Sort } from '../rules/lists'
import { userColumns, withPermissions } from '../users/store'
import type { ManagedUser, UserList, UserSortKey } from './model'

/** Any number works, as long as all instances use the same. */
const ADMINS_LOCK = 7_303_016

const hasPermission = (permission: Permission) => sql`exists (
  select from ${usersPermissions}
  where ${usersPermissions.userId} = ${users.id} and ${usersPermissions.permission} = ${permission})`

/** Until the transaction ends, nobody else can remove an admin. */
export async function lockAdmins(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${ADMINS_LOCK})`)
}

/** Whether an activated user has the permission `admin`. */
export async function hasAdmin(tx: Tx): Promise<boolean> {
  const found = await tx
    .select({ id: users.id })
    .from(users)
    .where(and(users.activated, hasPermission('admin')))
    .limit(1)
  return found.length > 0
}

const columns = {
  ...userColumns,
  // In a select from one table, Drizzle leaves the table out of its columns' names.
  movies: sql<number>`(select count(*) from movies where created_by = users.id)`.mapWith(Number),
}
const withoutBuiltIn = ne(users.id, BUILT_IN_USER_ID)

export async function findManagedUser(db: Db | Tx, id: number): Promise<ManagedUser | undefined> {
  const [user] = await db
    .select(columns)
    .from(users)
    .where(and(eq(users.id, id), withoutBuiltIn))
  return user && withPermissions(user)
}

/** A collation that folds and orders the letters of all languages, on any database. */
const anyLanguage = (text: SQL) => sql`${text} collate "und-x-icu"`
const lower = (text: SQL) => sql`lower(${anyLanguage(text)})`

const sortKeys: Readonly<Record<UserSortKey, SQL>> = {
  id: sql`${users.id}`,
  name: anyLanguage(sql`${users.name}`),
  created_at: sql`${users.createdAt}`,
}
const orderBy = ({ key, descending }: Sort<UserSortKey>) =>
  sql`${sortKeys[key]} ${sql.raw(descending ? 'desc' : 'asc')}, ${users.id} asc`

/** Users without the built-in account. Page and total come from one snapshot. */
export async function listManagedUsers(
  db: Db,
  { q, activated, permission, sort, page, pageSize }: UserList,
): Promise<{ rows: ManagedUser[]; total: number }> {
  const holds = (text: SQL) => sql`strpos(${lower(text)}, ${lower(sql`${q}::text`)}) > 0`
  const isFound = sql`(${holds(sql`${users.name}`)} or ${holds(sql`${users.email}`)} or ${holds(sql`${users.username}`)})`
  const where = and(
    withoutBuiltIn,
    q === undefined ? undefined : isFound,
    activated === undefined ? undefined : eq(users.activated, activated),
    permission === undefined ? undefined : hasPermission(permission),
  )
  return db.transaction(
    async (tx) => {
      const [counted] = await tx.select({ total: count() }).from(users).where(where)
      const rows = await tx
        .select(columns)
        .from(users)
        .where(where)
        .orderBy(orderBy(sort))
        .limit(pageSize)
        .offset((page - 1) * pageSize)
      return { rows: rows.map(withPermissions), total: counted?.total ?? 0 }
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
}
