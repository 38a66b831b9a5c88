import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Gate } from '../gate'
import { after, type Bill, currentBill, timeLeft } from '../waiting'
import { isUnanswered, tooLate, translated } from './errors'
import type { OwnDelay } from './own-delay'

export const UNNAMED = '/* unnamed */'
/** Marks a statement that has thousands of forms, each planned best for its own values: it gets no name. */
export const unnamed = sql.raw(`${UNNAMED} `)

/** A write may wait for others' locks or for a standby, so at most this much of its time is charged. */
const MAX_WRITE_MS = 200

// A statement takes about 30 kB of server memory per connection; we have far fewer than this.
const MAX_NAMED_STATEMENTS = 300

export type DriverOptions = {
  readonly gate: Gate
  /** Measures how long a statement waits for this process. */
  readonly ownDelay: () => OwnDelay
  /** From request to answer. */
  readonly queryMs: number
  /** False behind a pooler: names belong to a connection, and it lends a different one each time. */
  readonly namesStatements: boolean
}
type Unsafe = Parameters<postgres.Sql['unsafe']>

/** Internals of a postgres.js query, beyond its published type. */
type Query = {
  handler: (query: Query) => void
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  canceller: (query: Query) => Promise<void>
}

/**
 * The only wrapper around postgres.js. It names statements, so that a connection parses and plans each once;
 * it holds them back until a connection is free (the queue of postgres.js has no time limit, and lines
 * queries up behind slow ones); and it cancels and fails those that aren't answered by the deadline.
 */
export function createDriver(client: postgres.Sql, options: DriverOptions): postgres.Sql {
  const { gate, queryMs, ownDelay } = options
  const isNamed = options.namesStatements ? nameStatements() : () => false

  function send(on: postgres.Sql | postgres.TransactionSql, [text, parameters, more]: Unsafe) {
    const prepare = isNamed(text)
    // A text without parameters is otherwise sent as it is, and planned each time. Several statements need that, and those
    // of transactions nearly all have parameters.
    const isPlanned = prepare && on === client && !text.includes(';')
    return on.unsafe(text, parameters, { ...more, prepare, ...(isPlanned && { simple: false }) })
  }

  function begin(work: (tx: postgres.TransactionSql) => Promise<unknown>): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    let isExpired = false
    const callOff = after(timeLeft(queryMs), () => {
      isExpired = true
      reject(tooLate())
    })
    /** A transaction whose caller has been told that it failed must not commit. */
    const stopIfExpired = () => {
      if (isExpired) throw tooLate()
    }
    const stoppable = async (tx: postgres.TransactionSql) => {
      const unsafe = (...query: Unsafe) => {
        stopIfExpired()
        return send(tx, query)
      }
      const result = await work(withMethods(tx, { unsafe }))
      stopIfExpired()
      return result
    }
    async function run(): Promise<unknown> {
      const leave = await gate.enter('write')
      const charge = startMeter(currentBill(), 'write', ownDelay)
      try {
        stopIfExpired()
        return await client.begin(stoppable)
      } finally {
        charge(leave())
      }
    }
    run()
      .then(resolve, (error) => reject(translated(error)))
      .finally(callOff)
    return promise
  }

  return withMethods(client, {
    unsafe(...query: Unsafe) {
      const pending = send(client, query)
      limit(pending as unknown as Query, options, timeLeft(queryMs), kindOf(query[0]))
      return pending
    },
    begin,
  })
}

/** Whether a statement gets a name: the first few hundred do, except marked ones. */
function nameStatements(): (text: string) => boolean {
  const named = new Set<string>()
  return (text) => {
    if (named.has(text)) return true
    if (named.size >= MAX_NAMED_STATEMENTS || text.includes(UNNAMED)) return false
    named.add(text)
    return true
  }
}

const WRITES = /\b(?:insert|update|delete|truncate|lock)\b/i
const kindOf = (text: string) => (WRITES.test(text) ? 'write' : 'read')

/**
 * Measures the time in the database that a client is charged for, from now on, without the time that a statement lost
 * to those of others and to this process.
 */
function startMeter(bill: Bill | undefined, kind: 'read' | 'write', ownDelay: () => OwnDelay) {
  if (bill === undefined) return () => {}
  const startedAt = performance.now()
  const delayMs = ownDelay()
  return (others: number, isCharged = true) => {
    const elapsedMs = Math.max(0, performance.now() - startedAt - delayMs())
    const chargedMs = isCharged ? elapsedMs / (1 + others) : 0
    bill.databaseMs += kind === 'read' ? chargedMs : Math.min(chargedMs, MAX_WRITE_MS)
  }
}

/** A proxy of the client or transaction with some of its methods replaced. */
const withMethods = <Client extends object>(client: Client, methods: Partial<Record<PropertyKey, unknown>>) =>
  new Proxy(client, {
    get: (target, key) => (Object.hasOwn(methods, key) ? methods[key] : Reflect.get(target, key)),
  })

/** postgres.js calls `handler` to start a query, and `resolve` or `reject` once its connection is done with it. */
function limit(
  query: Query,
  { gate, ownDelay }: DriverOptions,
  milliseconds: number,
  kind: 'read' | 'write',
) {
  const { handler: start, resolve, reject } = query
  const endsAt = performance.now() + milliseconds
  const bill = currentBill()
  query.handler = () => {
    gate.enter(kind).then((leave) => {
      const timeLeftMs = endsAt - performance.now()
      const charge = startMeter(bill, kind, ownDelay)
      const callOff = after(Math.max(0, timeLeftMs), () => {
        reject(tooLate())
        // Not awaited: the server that has to cancel may be the one that hangs.
        query.canceller(query).catch(() => {})
      })
      const finish = () => {
        callOff()
        return leave()
      }
      query.resolve = (result) => {
        charge(finish())
        resolve(result)
      }
      query.reject = (error) => {
        charge(finish(), !isUnanswered(error))
        reject(translated(error))
      }
      if (timeLeftMs > 0) start(query)
      else query.reject(tooLate())
    }, reject)
  }
}
