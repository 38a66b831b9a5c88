import { patienceMs, withDeadline } from '../deadline'
import type { Db } from './client'

// Under load a statement's fixed cost, on both sides of the socket, is most of what a small one costs. What is asked for
// together here is sent only after the last of them has asked, so nobody is shown what was before their own request.

const MAX_KEYS = 100

type Later<Value> = { join(): Promise<Value> }

/** Work that begins when this turn of the event loop ends, in the least time that is left to any of those who join. */
function later<Value>(work: () => Promise<Value>): Later<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>()
  let patience = Number.POSITIVE_INFINITY
  setImmediate(() => resolve(withDeadline(patience, work)))
  return {
    join() {
      patience = Math.min(patience, patienceMs(Number.POSITIVE_INFINITY))
      return promise
    },
  }
}

/** A lookup that asks the database once for the keys of all who ask in the same turn of the event loop. */
export function batched<Key, Value>(
  load: (db: Db, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (db: Db, key: Key) => Promise<Value | undefined> {
  type Batch = { readonly keys: Set<Key>; readonly found: Later<ReadonlyMap<Key, Value>> }
  const open = new WeakMap<Db, Batch>()

  function begin(db: Db): Batch {
    const keys = new Set<Key>()
    const found = later(() => {
      if (open.get(db)?.keys === keys) open.delete(db)
      return load(db, [...keys])
    })
    const batch = { keys, found }
    open.set(db, batch)
    return batch
  }

  return async (db, key) => {
    const current = open.get(db)
    const { keys, found } = current !== undefined && current.keys.size < MAX_KEYS ? current : begin(db)
    keys.add(key)
    return (await found.join()).get(key)
  }
}

/** A question that is answered once for all who ask the same in the same turn of the event loop. */
export function askedOnce<Question, Value>(
  answer: (db: Db, question: Question) => Promise<Value>,
): (db: Db, question: Question) => Promise<Value> {
  const open = new WeakMap<Db, Map<string, Later<Value>>>()
  return (db, question) => {
    const asked = open.get(db) ?? new Map<string, Later<Value>>()
    open.set(db, asked)
    const key = JSON.stringify(question)
    const waiting =
      asked.get(key) ??
      later(() => {
        asked.delete(key)
        return answer(db, question)
      })
    asked.set(key, waiting)
    return waiting.join()
  }
}
