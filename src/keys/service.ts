import { createKey, hashKey, prefixOf } from '../access/keys'
import type { Author } from '../audit/model'
import type { Db } from '../db/client'
import { Failure } from '../errors'
import type { Key } from './model'
import { deleteKey, insertKey, listKeys } from './store'

export type KeysDeps = {
  db: Db
  /** Called when a user's keys have changed. */
  forgetPrincipal: (userId: number) => void
}
export type KeysService = ReturnType<typeof createKeysService>

export function createKeysService({ db, forgetPrincipal }: KeysDeps) {
  return {
    /** Makes a key; its secret is known only here and now. */
    async create(author: Author, userId: number, name: string): Promise<{ key: Key; secret: string }> {
      const secret = createKey()
      const row = { userId, name, prefix: prefixOf(secret), hash: hashKey(secret) }
      const key = await insertKey(db, author, row)
      forgetPrincipal(userId)
      return { key, secret }
    },

    list: (userId: number) => listKeys(db, userId),

    /** Revokes a key, of any user or of this one. Throws a 404 when there is none. */
    async revoke(author: Author, id: number, userId?: number) {
      const key = await deleteKey(db, author, id, userId)
      if (key === undefined) throw new Failure('notFound')
      forgetPrincipal(key.userId)
      return key
    },
  }
}
