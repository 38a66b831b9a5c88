import { jwt } from '@elysiajs/jwt'
import { LRUCache } from 'lru-cache'
import { exactId } from '../rules/fields'

const ISSUER_AND_AUDIENCE = 'redlight'
const CLOCK_TOLERANCE_SECONDS = 5
const MAX_CACHED_TOKENS = 10_000
const MAX_TOKEN_LENGTH = 2048

/** Claims of a valid token: its user, the generation of their tokens, and expiry in Unix seconds. */
export type Claims = { readonly userId: number; readonly tokenGeneration: number; readonly exp: number }
export type JwtOptions = { secrets: readonly string[]; ttlSeconds: number; nowSeconds: () => number }
export type Jwt = ReturnType<typeof createJwt>

/** Signs with the first secret and verifies with all, so that secrets can be rotated (section 5). */
export function createJwt({ secrets, ttlSeconds, nowSeconds }: JwtOptions) {
  const keys = secrets.map((secret) => jwt({ name: 'jwt', secret, alg: 'HS256' }).decorator.jwt)
  // Cached, because verifying costs as much as the rest of a request.
  const verified = new LRUCache<string, Claims>({ max: MAX_CACHED_TOKENS })

  async function sign(userId: number, tokenGeneration: number): Promise<{ token: string; expiresAt: Date }> {
    const [key] = keys
    if (key === undefined) throw new Error('there is no secret to sign with')
    const now = Math.floor(nowSeconds())
    const exp = now + ttlSeconds
    const token = await key.sign({
      sub: String(userId),
      iss: ISSUER_AND_AUDIENCE,
      aud: ISSUER_AND_AUDIENCE,
      jti: crypto.randomUUID(),
      gen: tokenGeneration,
      iat: true,
      nbf: now,
      exp,
    })
    return { token, expiresAt: new Date(exp * 1000) }
  }

  /** Claims of a genuine token in force, or undefined. */
  async function verify(token: string): Promise<Claims | undefined> {
    if (token.length > MAX_TOKEN_LENGTH) return undefined
    const known = verified.get(token)
    if (known !== undefined) {
      if (known.exp + CLOCK_TOLERANCE_SECONDS > nowSeconds()) return known
      verified.delete(token)
      return undefined
    }
    for (const key of keys) {
      const claims = claimsOf(
        await key.verify(token, {
          algorithms: ['HS256'],
          issuer: ISSUER_AND_AUDIENCE,
          audience: ISSUER_AND_AUDIENCE,
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(nowSeconds() * 1000),
          requiredClaims: ['sub', 'iat', 'nbf', 'exp', 'jti', 'gen'],
        }),
      )
      if (claims !== undefined) {
        verified.set(token, claims)
        return claims
      }
    }
  }

  return { sign, verify }
}

function claimsOf(payload: unknown): Claims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  if (!('sub' in payload && 'gen' in payload && 'exp' in payload)) return undefined
  const { sub, gen, exp } = payload
  const userId = typeof sub === 'string' ? exactId(sub) : undefined
  if (userId === undefined || !isWhole(gen) || !isWhole(exp)) return undefined
  return { userId, tokenGeneration: gen, exp }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
