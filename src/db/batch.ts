import { patienceMs, withDeadline } from '../deadline'
import type { Db } from './client'

const MAX_KEYS = 100

type Waiting<Key, Value> = {
  readonly keys: Set<Key>
  /** What is left to the member with the least time, in milliseconds. */
  patience: number
  readonly found: Promise<ReadonlyMap<Key, Value>>
}

/**
 * A lookup that asks the database once for all who ask in the same turn of the event loop: under load a statement's
 * fixed cost, on both sides of the socket, is most of what a lookup by key costs. It is sent after the last of them
 * has asked, so nobody is shown what was before their own request.
 */
export function batched<Key, Value>(
  load: (db: Db, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (db: Db, key: Key) => Promise<Value | undefined> {
  const open = new WeakMap<Db, Waiting<Key, Value>>()

  function begin(db: Db): Waiting<Key, Value> {
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<Key, Value>>()
    const batch = { keys: new Set<Key>(), patience: Number.POSITIVE_INFINITY, found: promise }
    setImmediate(() => {
      if (open.get(db) === batch) open.delete(db)
      resolve(withDeadline(batch.patience, () => load(db, [...batch.keys])))
    })
    open.set(db, batch)
    return batch
  }

  return async (db, key) => {
    const current = open.get(db)
    const batch = current !== undefined && current.keys.size < MAX_KEYS ? current : begin(db)
    batch.keys.add(key)
    batch.patience = Math.min(batch.patience, patienceMs(Number.POSITIVE_INFINITY))
    return (await batch.found).get(key)
  }
}
