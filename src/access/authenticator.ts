import { LRUCache } from 'lru-cache'
import type { Principal } from '../permissions'
import { exactId } from '../rules/fields'
import type { Jwt } from './jwt'

const MAX_REMEMBERED = 10_000
/** The channel on which the database announces changed permissions (drizzle/0004). */
export const PRINCIPAL_CHANNEL = 'redlight_principal'

export type Authenticator = ReturnType<typeof createAuthenticator>
type Deps = {
  jwt: Pick<Jwt, 'verify'>
  load: (userId: number) => Promise<Principal | undefined>
  /** Whether announcements are known to arrive in time. */
  isCurrent: () => boolean
  /** `load`'s result, or a replica's while the primary is away, which is never cached. */
  orStale?: (userId: number, load: () => Promise<Principal | undefined>) => Promise<Principal | undefined>
}

/** Maps a token to its user without a query each time, and never from a stale cache. */
export function createAuthenticator({ jwt, load, isCurrent, orStale = (_, load) => load() }: Deps) {
  const remembered = new LRUCache<number, Principal>({ max: MAX_REMEMBERED })
  const loading = new Map<number, Promise<Principal | undefined>>()

  function forget(userId: number) {
    remembered.delete(userId)
    // A load in flight may have read the old permissions, so it is neither shared nor cached.
    loading.delete(userId)
  }
  function forgetAll() {
    remembered.clear()
    loading.clear()
  }

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
    forget,
    forgetAll,
    /** A user's id, or `all` when a table was truncated (drizzle/0010). */
    heard(message: string) {
      const userId = exactId(message)
      if (userId === undefined) forgetAll()
      else forget(userId)
    },
    /** The user of a genuine, unexpired, unrevoked token. */
    async authenticate(token: string): Promise<Principal | undefined> {
      const claims = await jwt.verify(token)
      if (claims === undefined) return undefined
      const { userId } = claims
      const known = isCurrent() ? remembered.get(userId) : undefined
      const ask = () => (isCurrent() ? loadOnce(userId) : load(userId))
      const principal = known ?? (await orStale(userId, ask))
      return principal?.tokenGeneration === claims.tokenGeneration ? principal : undefined
    },
  }
}
