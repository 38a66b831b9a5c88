import { text, timestampJson } from '../rules/fields'
import { object } from '../rules/objects'

export const MAX_KEYS_PER_USER = 20

export const KeyInput = object({ name: text(1, 100) })

export type Key = {
  id: number
  name: string
  /** The start of the key, by which its owner recognizes it. */
  prefix: string
  createdAt: Date
  lastUsedOn: string | null
}

/** A key in the API's form (contract section 10), without the secret itself. */
export const keyJson = ({ id, name, prefix, createdAt, lastUsedOn }: Key) => ({
  id,
  name,
  prefix,
  created_at: timestampJson(createdAt),
  last_used_on: lastUsedOn,
})
