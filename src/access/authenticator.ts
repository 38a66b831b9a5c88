import { LRUCache } from 'lru-cache'
import type { KnownCaller, Principal } from '../permissions'
import { exactId } from '../rules/fields'
import type { Jwt } from './jwt'
import { hashKey, isKey, looksLikeKey } from './keys'

const MAX_REMEMBERED = 10_000
/** The channel on which the database announces changed permissions and keys (drizzle/0004, 0014). */
export const PRINCIPAL_CHANNEL = 'redlight_principal'

/** A key and its owner, neither of which ever changes; whether it still exists is the owner's `keyIds`. */
export type KeyOwner = { readonly keyId: number; readonly userId: number }

export type Authenticator = ReturnType<typeof createAuthenticator>
type Deps = {
  jwt: Pick<Jwt, 'verify'>
  load: (userId: number) => Promise<Principal | undefined>
  /** Finds a key by its hash. */
  findKey: (hash: Uint8Array) => Promise<KeyOwner | undefined>
  /** Whether announcements are known to arrive in time. */
  isCurrent: () => boolean
  /** `load`'s result, or a replica's while the primary is away, which is never cached. */
  orStale?: (userId: number, load: () => Promise<Principal | undefined>) => Promise<Principal | undefined>
}

/** The users of whom something is known, and never from a stale cache. */
function rememberPrincipals({
  load,
  isCurrent,
  orStale = (_, load) => load(),
}: Omit<Deps, 'jwt' | 'findKey'>) {
  const remembered = new LRUCache<number, Principal>({ max: MAX_REMEMBERED })
  const loading = new Map<number, Promise<Principal | undefined>>()

  function loadOnce(userId: number): Promise<Principal | undefined> {
    const underWay = loading.get(userId)
    if (underWay !== undefined) return underWay
    const started = load(userId)
      .then((principal) => {
        if (loading.get(userId) === started && principal !== undefined) remembered.set(userId, principal)
        return principal
      })
      .finally(() => {
        if (loading.get(userId) === started) loading.delete(userId)
      })
    loading.set(userId, started)
    return started
  }

  return {
    forget(userId: number) {
      remembered.delete(userId)
      // A load in flight may have read the old permissions, so it is neither shared nor cached.
      loading.delete(userId)
    },
    forgetAll() {
      remembered.clear()
      loading.clear()
    },
    async find(userId: number): Promise<Principal | undefined> {
      const known = isCurrent() ? remembered.get(userId) : undefined
      const ask = () => (isCurrent() ? loadOnce(userId) : load(userId))
      return known ?? (await orStale(userId, ask))
    },
  }
}

/** Maps a token or a key to its user without a query each time. */
export function createAuthenticator({ jwt, findKey, ...deps }: Deps) {
  const principals = rememberPrincipals(deps)
  const { forget, forgetAll } = principals
  const keyOwners = new LRUCache<string, KeyOwner>({ max: MAX_REMEMBERED })

  async function byToken(token: string): Promise<KnownCaller | undefined> {
    const claims = await jwt.verify(token)
    if (claims === undefined) return undefined
    const user = await principals.find(claims.userId)
    return user?.tokenGeneration === claims.tokenGeneration ? { kind: 'user', user } : undefined
  }

  async function byOwner({ keyId, userId }: KeyOwner): Promise<KnownCaller | undefined> {
    const user = await principals.find(userId)
    return user?.keyIds.has(keyId) ? { kind: 'key', user, keyId } : undefined
  }

  async function byKey(key: string): Promise<KnownCaller | undefined> {
    const known = keyOwners.get(key)
    const caller = known && (await byOwner(known))
    if (caller !== undefined) return caller
    if (!isKey(key)) return undefined
    const found = await findKey(hashKey(key))
    if (found === undefined) {
      keyOwners.delete(key)
      return undefined
    }
    keyOwners.set(key, found)
    const owner = await byOwner(found)
    if (owner !== undefined) return owner
    // The cached owner may be from before the key was created.
    forget(found.userId)
    return byOwner(found)
  }

  return {
    forget,
    forgetAll,
    /** A user's id, or `all` when a table was truncated (drizzle/0010). */
    heard(message: string) {
      const userId = exactId(message)
      if (userId === undefined) forgetAll()
      else forget(userId)
    },
    /** The caller with a genuine, unexpired, unrevoked token, or with a key that exists. */
    authenticate: (credentials: string) =>
      looksLikeKey(credentials) ? byKey(credentials) : byToken(credentials),
  }
}
