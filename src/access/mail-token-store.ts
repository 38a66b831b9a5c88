import { and, eq, gt, lte, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { folded, tokens, users, usersPermissions } from '../db/schema'
import { foldCase } from '../rules/fields'
import type { Principal, TokenScope } from '../tokens/model'
import { createSecret, hashSecret } from './secret'

const ttlSeconds: Record<TokenScope, number> = { activation: 3 * 24 * 3600, 'password-reset': 45 * 60 }

export type Login = { email: string } | { username: string }

/** The condition for the user with a name, in any case. */
export const hasLogin = (login: Login) =>
  'email' in login
    ? eq(folded(users.email), foldCase(login.email))
    : eq(folded(users.username), foldCase(login.username))

/** What a sign-in or a request for a mail needs to know of the user with a name. */
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
    })
    .from(users)
    .where(eq(users.id, userId))
  return user && { ...user, permissions: new Set(user.permissions.split(' ').filter(Boolean)) }
}

/** Makes a token for a mail and stores its hash. */
export async function issueToken(db: Db, userId: number, scope: TokenScope) {
  const { text, hash } = createSecret()
  const expiresAt = new Date(Date.now() + ttlSeconds[scope] * 1000)
  await db.insert(tokens).values({ hash, userId, scope, expiresAt })
  return { token: text, expiresAt }
}

const inForce = (scope: TokenScope, text: string) =>
  and(eq(tokens.hash, hashSecret(text)), eq(tokens.scope, scope), gt(tokens.expiresAt, sql`now()`))

/** Whose token it is, without using it up. */
export async function findTokenOwner(db: Db, scope: TokenScope, text: string) {
  const [user] = await db
    .select({ id: users.id, name: users.name, email: users.email, username: users.username })
    .from(tokens)
    .innerJoin(users, eq(users.id, tokens.userId))
    .where(inForce(scope, text))
  return user
}

/** Uses a token up, and with it all of its user's tokens of that scope; of many at once one succeeds. */
export async function consumeToken(tx: Tx, scope: TokenScope, text: string): Promise<number | undefined> {
  const [used] = await tx.delete(tokens).where(inForce(scope, text)).returning({ userId: tokens.userId })
  if (used === undefined) return undefined
  await tx.delete(tokens).where(and(eq(tokens.userId, used.userId), eq(tokens.scope, scope)))
  return used.userId
}

/** Ends every authentication token that the user holds. */
export async function endSessions(db: Db | Tx, userId: number): Promise<void> {
  await db
    .update(users)
    .set({ tokenGeneration: sql`${users.tokenGeneration} + 1` })
    .where(eq(users.id, userId))
}

export async function purgeExpiredTokens(db: Db): Promise<void> {
  await db.delete(tokens).where(lte(tokens.expiresAt, sql`now()`))
}
