import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { type Later, later } from '../later'
import { currentBill } from '../waiting'
import type { Db } from './client'
import { isDeadlock, isRefused, tooLate } from './errors'

// Under load most of a small statement's cost is fixed, on both sides of the socket. A batch is sent only
// after its last caller has asked, so every caller sees data no older than its own request.

const MAX_TOGETHER = 100
const MAX_BYTES_TOGETHER = 262_144
/** A row this large is slow, and must not delay other clients' small ones. */
const HEAVY_BYTES = 8192
const LIGHT = '\0'
/** With more statements of small rows at once, each has fewer rows, and costs nearly as much. */
const MAX_AT_ONCE = 2

/** One value per database, made on first use, such as a query that takes longer to build than to run. */
export function builtOnce<Value>(make: (db: Db) => Value): (db: Db) => Value {
  const made = new WeakMap<object, { readonly value: Value }>()
  return (db) => {
    const entry = made.get(db) ?? { value: make(db) }
    made.set(db, entry)
    return entry.value
  }
}

type Batch<Item, Value> = { readonly items: Item[]; bytes: number; readonly done: Later<Value> }

/**
 * Collects the items of one turn of the event loop or, under load, until an earlier batch is done; by database, up to a
 * number and a size. Works on them together. A heavy item is batched only with others of the same client.
 */
function gathered<Item, Value>(
  work: (db: Db, items: readonly Item[]) => Promise<Value>,
  bytesOf: (item: Item) => number = () => 0,
): (db: Db, item: Item) => Batch<Item, Value> {
  type State = { gathering: Map<string, Batch<Item, Value>>; underWay: Set<Promise<Value>> }
  const stateOf = builtOnce((): State => ({ gathering: new Map(), underWay: new Set() }))

  function begin(db: Db, key: string): Batch<Item, Value> {
    const { gathering, underWay } = stateOf(db)
    const items: Item[] = []
    function send(): Promise<Value> {
      if (gathering.get(key)?.items === items) gathering.delete(key)
      const sent = work(db, items).finally(() => underWay.delete(sent))
      if (key === LIGHT) underWay.add(sent)
      return sent
    }
    const before = key === LIGHT && underWay.size >= MAX_AT_ONCE ? Promise.race(underWay) : undefined
    const batch = { items, bytes: 0, done: later(tooLate, send, before) }
    gathering.set(key, batch)
    return batch
  }

  return (db, item) => {
    const bytes = bytesOf(item)
    const key = bytes < HEAVY_BYTES ? LIGHT : (currentBill()?.client ?? '')
    const open = stateOf(db).gathering.get(key)
    const isOpen =
      open !== undefined && open.items.length < MAX_TOGETHER && open.bytes + bytes <= MAX_BYTES_TOGETHER
    const batch = isOpen ? open : begin(db, key)
    batch.items.push(item)
    batch.bytes += bytes
    return batch
  }
}

/** A lookup that sends one query for all keys asked in the same turn of the event loop. */
export function batched<Key, Value>(
  load: (db: Db, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (db: Db, key: Key) => Promise<Value | undefined> {
  const gather = gathered((db, keys: readonly Key[]) => load(db, [...new Set(keys)]))
  return async (db, key) => (await gather(db, key).done.join()).get(key)
}

/** Approximate size of a row's texts in bytes. */
function textBytes(row: unknown): number {
  if (typeof row === 'string') return Buffer.byteLength(row)
  if (typeof row !== 'object' || row === null) return 0
  let bytes = 0
  for (const value of Object.values(row)) bytes += textBytes(value)
  return bytes
}

/**
 * Writes rows in one statement with those of other callers in the same turn of the event loop. `write`
 * returns each row's result, in order. A row without a result, and every row of a statement that the database
 * refused or cancelled, is written again alone, so a caller never gets another one's error. After a deadlock, so is
 * a single row.
 */
export function writtenTogether<Row, Written>(
  write: (db: Db, rows: readonly Row[]) => Promise<readonly (Written | undefined)[]>,
): (db: Db, row: Row) => Promise<Written | undefined> {
  const gather = gathered(write, textBytes)
  return async (db, row) => {
    const { items, done } = gather(db, row)
    const index = items.length - 1
    try {
      const written = (await done.join())[index]
      if (written !== undefined || items.length === 1) return written
    } catch (error) {
      if (!isRefused(error) || (items.length === 1 && !isDeadlock(error))) throw error
    }
    return (await write(db, [row]))[0]
  }
}

/**
 * Runs a query once for all callers who ask the same in one turn of the event loop or, under load, while the
 * previous run is in progress.
 */
export function askedOnce<Question, Value>(
  answer: (db: Db, question: Question) => Promise<Value>,
): (db: Db, question: Question) => Promise<Value> {
  type Asked = {
    readonly waiting: Map<string, Later<Value>>
    readonly underWay: Map<string, Promise<unknown>>
  }
  const askedOf = builtOnce((): Asked => ({ waiting: new Map(), underWay: new Map() }))

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
    const next = waiting.get(key) ?? later(tooLate, send, underWay.get(key))
    waiting.set(key, next)
    return next.join()
  }
}

/** Columns, by the keys that rows use for them. */
export type Columns = Readonly<Record<string, PgColumn>>

/**
 * The table `sent`, made of JavaScript rows in one parameter (their JSON), so that the statement is the same for
 * any number of rows. Its columns are named after the keys.
 */
export function sentRows(columns: Columns, rows: string | Placeholder): SQL {
  const typed = Object.entries(columns).map(
    ([key, column]) => sql`${sql.identifier(key)} ${sql.raw(column.getSQLType())}`,
  )
  return sql`json_to_recordset(${rows}::json) as sent (${listed(typed)})`
}

/** Column names in their own table. */
export const namesOf = (columns: Columns): SQL =>
  listed(Object.values(columns).map(({ name }) => sql`${sql.identifier(name)}`))

/** Their values in `sent`, in the same order. */
export const sentValues = (columns: Columns): SQL =>
  listed(Object.keys(columns).map((key) => sql`sent.${sql.identifier(key)}`))

export const listed = (parts: SQL[]) => sql.join(parts, sql`, `)
