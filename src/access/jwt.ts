import { jwt } from '@elysiajs/jwt'
import { LRUCache } from 'lru-cache'
import { exactId } from '../rules/fields'

const ISSUER_AND_AUDIENCE = 'redlight'
const CLOCK_TOLERANCE_SECONDS = 5
const MAX_CACHED_TOKENS = 10_000
const MAX_TOKEN_LENGTH = 2048

/** Claims of a valid token: its user, the generation of their tokens; sign-in and expiry in Unix seconds. */
export type Claims = {
  readonly userId: number
  readonly tokenGeneration: number
  readonly authTime: number
  readonly exp: number
}
export type JwtOptions = {
  secrets: readonly string[]
  ttlSeconds: number
  /** How long after the sign-in a token can be renewed. */
  sessionTtlSeconds: number
  nowSeconds: () => number
}
export type SignedToken = { readonly token: string; readonly expiresAt: Date }
export type Jwt = ReturnType<typeof createJwt>

/** Signs with the first secret and verifies with all, so that secrets can be rotated (section 5). */
export function createJwt({ secrets, ttlSeconds, sessionTtlSeconds, nowSeconds }: JwtOptions) {
  const keys = secrets.map((secret) => jwt({ name: 'jwt', secret, alg: 'HS256' }).decorator.jwt)
  // Cached, because verifying costs as much as the rest of a request.
  const verified = new LRUCache<string, Claims>({ max: MAX_CACHED_TOKENS })

  const now = () => Math.floor(nowSeconds())

  /** The token of a user who has just proved who they are. */
  const sign = (userId: number, tokenGeneration: number): Promise<SignedToken> =>
    signClaims({ userId, tokenGeneration, authTime: now(), exp: now() + ttlSeconds })

  /** A fresh token for the session of a valid one; undefined once the session is over. */
  async function renew(token: string): Promise<SignedToken | undefined> {
    const claims = await verify(token)
    if (claims === undefined) return undefined
    const exp = Math.min(now() + ttlSeconds, claims.authTime + sessionTtlSeconds)
    return exp > now() ? signClaims({ ...claims, exp }) : undefined
  }

  async function signClaims({ userId, tokenGeneration, authTime, exp }: Claims): Promise<SignedToken> {
    const [key] = keys
    if (key === undefined) throw new Error('there is no secret to sign with')
    const token = await key.sign({
      sub: String(userId),
      iss: ISSUER_AND_AUDIENCE,
      aud: ISSUER_AND_AUDIENCE,
      jti: crypto.randomUUID(),
      gen: tokenGeneration,
      iat: true,
      nbf: now(),
      auth_time: authTime,
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

  return { sign, renew, verify }
}

function claimsOf(payload: unknown): Claims | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined
  if (!('sub' in payload && 'gen' in payload && 'exp' in payload)) return undefined
  const { sub, gen, exp } = payload
  const userId = typeof sub === 'string' ? exactId(sub) : undefined
  // Tokens of earlier versions have no auth_time.
  const authTime = 'auth_time' in payload ? payload.auth_time : 'iat' in payload ? payload.iat : undefined
  if (userId === undefined || !isWhole(gen) || !isWhole(exp) || !isWhole(authTime)) return undefined
  return { userId, tokenGeneration: gen, authTime, exp }
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)
