import { base32nopad } from '@scure/base'
import { and, eq, gt, inArray, lte, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { type TokenScope, tokens, users } from '../db/schema'

/** 16 bytes in unpadded base32 (RFC 4648): 26 characters that survive being read aloud. */
const RANDOM_BYTES = 16
const createSecret = () => base32nopad.encode(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))

/** A fast hash is enough, because 128 random bits can't be guessed. */
const hashSecret = (text: string): Uint8Array => new Bun.CryptoHasher('sha256').update(text).digest()

const DAY_SECONDS = 24 * 3600
const ttlSeconds: Record<TokenScope, number> = {
  activation: 3 * DAY_SECONDS,
  'password-reset': 45 * 60,
  'email-change': 3 * DAY_SECONDS,
}

/** `email` is the new address of an email-change. */
export async function issueToken(db: Db, userId: number, scope: TokenScope, email?: string) {
  const token = createSecret()
  const expiresAt = new Date(Date.now() + ttlSeconds[scope] * 1000)
  await db.insert(tokens).values({ hash: hashSecret(token), userId, scope, email, expiresAt })
  return { token, expiresAt }
}

const inForce = (scope: TokenScope, text: string) =>
  and(eq(tokens.hash, hashSecret(text)), eq(tokens.scope, scope), gt(tokens.expiresAt, sql`now()`))

/** Finds a token's user without using the token up. */
export async function findTokenOwner(db: Db, scope: TokenScope, text: string) {
  const [user] = await db
    .select({
      id: users.id,
      name: users.name,
      email: users.email,
      username: users.username,
      newEmail: tokens.email,
    })
    .from(tokens)
    .innerJoin(users, eq(users.id, tokens.userId))
    .where(inForce(scope, text))
  return user
}

/** Uses up a token and all other tokens of its user and scope; of concurrent calls one succeeds. */
export async function consumeToken(tx: Tx, scope: TokenScope, text: string): Promise<number | undefined> {
  const [used] = await tx.delete(tokens).where(inForce(scope, text)).returning({ userId: tokens.userId })
  if (used === undefined) return undefined
  await endTokens(tx, used.userId, [scope])
  return used.userId
}

export async function endTokens(tx: Tx, userId: number, scopes: readonly TokenScope[]): Promise<void> {
  await tx.delete(tokens).where(and(eq(tokens.userId, userId), inArray(tokens.scope, [...scopes])))
}

export async function purgeExpiredTokens(db: Db): Promise<void> {
  await db.delete(tokens).where(lte(tokens.expiresAt, sql`now()`))
}
