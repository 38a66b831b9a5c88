import { patienceMs, withDeadline } from '../deadline'
import type { Db } from './client'
import { isRefused } from './errors'

// Under load a statement's fixed cost, on both sides of the socket, is most of what a small one costs. What is asked for
// together here is sent only after the last of them has asked, so nobody is shown what was before their own request.

const MAX_TOGETHER = 100
/** How long a question waits for the same one before it, whose connection may be the one that hangs. */
const MAX_GATHERING_MS = 10

type Later<Value> = { join(): Promise<Value> }

/**
 * Work that begins when this turn of the event loop ends, or when what goes before it is over, in the least time that is
 * left to any of those who join.
 */
function later<Value>(work: () => Promise<Value>, before?: Promise<unknown>): Later<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>()
  let patience = Number.POSITIVE_INFINITY
  const begin = () => resolve(withDeadline(patience, work))
  if (before === undefined) setImmediate(begin)
  else Promise.race([before, Bun.sleep(MAX_GATHERING_MS)]).then(begin, begin)
  return {
    join() {
      patience = Math.min(patience, patienceMs(Number.POSITIVE_INFINITY))
      return promise
    },
  }
}

type Batch<Item, Value> = { readonly items: Item[]; readonly done: Later<Value> }

/** Gathers what is handed in during one turn of the event loop, by database, and works on it at once. */
function gathered<Item, Value>(
  work: (db: Db, items: readonly Item[]) => Promise<Value>,
): (db: Db, item: Item) => Batch<Item, Value> {
  const open = new WeakMap<Db, Batch<Item, Value>>()

  function begin(db: Db): Batch<Item, Value> {
    const items: Item[] = []
    const done = later(() => {
      if (open.get(db)?.items === items) open.delete(db)
      return work(db, items)
    })
    const batch = { items, done }
    open.set(db, batch)
    return batch
  }

  return (db, item) => {
    const current = open.get(db)
    const batch = current !== undefined && current.items.length < MAX_TOGETHER ? current : begin(db)
    batch.items.push(item)
    return batch
  }
}

/** A lookup that asks the database once for the keys of all who ask in the same turn of the event loop. */
export function batched<Key, Value>(
  load: (db: Db, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (db: Db, key: Key) => Promise<Value | undefined> {
  const gather = gathered((db, keys: readonly Key[]) => load(db, [...new Set(keys)]))
  return async (db, key) => (await gather(db, key).done.join()).get(key)
}

/**
 * Rows that are written in one statement with those of all who write in the same turn of the event loop. `write` says
 * what became of each, in their order. A row of which it says nothing, and all rows of a statement that the database
 * refused, are written again, each alone: nobody is told of another's fault.
 */
export function writtenTogether<Row, Written>(
  write: (db: Db, rows: readonly Row[]) => Promise<readonly (Written | undefined)[]>,
): (db: Db, row: Row) => Promise<Written | undefined> {
  const gather = gathered(write)
  return async (db, row) => {
    const { items, done } = gather(db, row)
    const place = items.length - 1
    try {
      const written = (await done.join())[place]
      if (written !== undefined || items.length === 1) return written
    } catch (error) {
      if (items.length === 1 || !isRefused(error)) throw error
    }
    return (await write(db, [row]))[0]
  }
}

/**
 * A question that is answered once for all who ask the same in the same turn of the event loop, or, under load, while the
 * one before it is being answered.
 */
export function askedOnce<Question, Value>(
  answer: (db: Db, question: Question) => Promise<Value>,
): (db: Db, question: Question) => Promise<Value> {
  type Asked = {
    readonly waiting: Map<string, Later<Value>>
    readonly underWay: Map<string, Promise<unknown>>
  }
  const all = new WeakMap<Db, Asked>()

  return (db, question) => {
    const asked = all.get(db) ?? { waiting: new Map(), underWay: new Map() }
    all.set(db, asked)
    const key = JSON.stringify(question)
    const { waiting, underWay } = asked

    async function send() {
      waiting.delete(key)
      const answered = answer(db, question)
      underWay.set(key, answered)
      try {
        return await answered
      } finally {
        if (underWay.get(key) === answered) underWay.delete(key)
      }
    }
    const next = waiting.get(key) ?? later(send, underWay.get(key))
    waiting.set(key, next)
    return next.join()
  }
}
