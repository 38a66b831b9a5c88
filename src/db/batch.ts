import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { timeLeft, withDeadline, within } from '../waiting'
import type { Db } from './client'
import { isRefused } from './errors'

// Under load a statement's fixed cost, on both sides of the socket, is most of what a small one costs. What is asked for
// together here is sent only after the last of them has asked, so nobody is shown what was before their own request.

const MAX_TOGETHER = 100
/** How long a question waits for the same one before it, whose connection may be the one that hangs. */
const MAX_GATHERING_MS = 10

/** One value for each database, made at its first use. */
function perDatabase<Value>(make: (db: Db) => Value): (db: Db) => Value {
  const made = new WeakMap<object, { readonly value: Value }>()
  return (db) => {
    const entry = made.get(db) ?? { value: make(db) }
    made.set(db, entry)
    return entry.value
  }
}

type Later<Value> = { join(): Promise<Value> }

/**
 * Work that begins when this turn of the event loop ends, or when what goes before it is over, in the least time that is
 * left to any of those who join.
 */
function later<Value>(work: () => Promise<Value>, before?: Promise<unknown>): Later<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>()
  let milliseconds = Number.POSITIVE_INFINITY
  const begin = () => resolve(withDeadline(milliseconds, work))
  if (before === undefined) setImmediate(begin)
  else within(MAX_GATHERING_MS, before, () => {}).then(begin, begin)
  return {
    join() {
      milliseconds = Math.min(milliseconds, timeLeft(Number.POSITIVE_INFINITY))
      return promise
    },
  }
}

type Batch<Item, Value> = { readonly items: Item[]; readonly done: Later<Value> }

/** Gathers what is handed in during one turn of the event loop, by database, and works on it at once. */
function gathered<Item, Value>(
  work: (db: Db, items: readonly Item[]) => Promise<Value>,
): (db: Db, item: Item) => Batch<Item, Value> {
  type Gathering = { open: Batch<Item, Value> | undefined }
  const gatheringOf = perDatabase((): Gathering => ({ open: undefined }))

  function begin(db: Db, gathering: Gathering): Batch<Item, Value> {
    const items: Item[] = []
    const done = later(() => {
      if (gathering.open?.items === items) gathering.open = undefined
      return work(db, items)
    })
    gathering.open = { items, done }
    return gathering.open
  }

  return (db, item) => {
    const gathering = gatheringOf(db)
    const { open } = gathering
    const batch = open !== undefined && open.items.length < MAX_TOGETHER ? open : begin(db, gathering)
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
  const askedOf = perDatabase((): Asked => ({ waiting: new Map(), underWay: new Map() }))

  return (db, question) => {
    const key = JSON.stringify(question)
    const { waiting, underWay } = askedOf(db)

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

/** A query that is built once for each database, for where building it would cost more than running it. */
export const builtOnce = <Query>(build: (db: Db) => Query): ((db: Db) => Query) => perDatabase(build)

/** By the keys under which rows have their values. */
export type Columns = Readonly<Record<string, PgColumn>>

/**
 * The table `sent`, made of rows of JavaScript: one parameter however many they are, so that one statement serves them
 * all. Its columns are named as the keys are.
 */
export function sentRows(columns: Columns, rows: readonly Readonly<Record<string, unknown>>[]): SQL {
  const typed = Object.entries(columns).map(
    ([key, column]) => sql`${sql.identifier(key)} ${sql.raw(column.getSQLType())}`,
  )
  return sql`json_to_recordset(${JSON.stringify(rows)}::json) as sent (${listed(typed)})`
}

/** What the columns are called in their own table. */
export const namesOf = (columns: Columns): SQL =>
  listed(Object.values(columns).map(({ name }) => sql`${sql.identifier(name)}`))

/** Their values in `sent`, in the same order. */
export const sentValues = (columns: Columns): SQL =>
  listed(Object.keys(columns).map((key) => sql`sent.${sql.identifier(key)}`))

const listed = (parts: SQL[]) => sql.join(parts, sql`, `)
