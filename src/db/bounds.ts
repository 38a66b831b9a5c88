import type postgres from 'postgres'
import type { Gate } from '../gate'
import { databaseUnavailable, translated } from './database-errors'

/** What a postgres.js query is made of, beyond its published type. */
type Query = {
  handler: (query: Query) => void
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  canceller: (query: Query) => Promise<void>
}

/**
 * The same client with a limit on everything that can wait: a query is handed to postgres.js only once a connection
 * is free (its own queue knows no time limit, and it lines queries up behind slow ones), and whatever has not been
 * answered at the deadline is cancelled and fails.
 */
export function boundClient(client: postgres.Sql, gate: Gate, deadlineMs: number): postgres.Sql {
  const unsafe = (...query: Parameters<postgres.Sql['unsafe']>) => {
    const pending = client.unsafe(...query)
    boundQuery(pending as unknown as Query, gate, deadlineMs)
    return pending
  }
  const begin = (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
    boundTransaction(client, work, gate, deadlineMs)
  return new Proxy(client, {
    get: (target, key) => (key === 'unsafe' ? unsafe : key === 'begin' ? begin : Reflect.get(target, key)),
  })
}

/** postgres.js calls `handler` to start a query, and `resolve` or `reject` once its connection is done with it. */
function boundQuery(query: Query, gate: Gate, deadlineMs: number) {
  const { handler: start, resolve, reject } = query
  query.handler = () => {
    const deadline = performance.now() + deadlineMs
    gate.enter().then((leave) => {
      const timer = setTimeout(() => {
        reject(databaseUnavailable(new Error('a query took too long')))
        // Without an answer either way: the server that would take the cancellation may be the one that hangs.
        query.canceller(query).catch(() => {})
      }, deadline - performance.now())
      const finish = () => {
        clearTimeout(timer)
        leave()
      }
      query.resolve = (result) => {
        finish()
        resolve(result)
      }
      query.reject = (error) => {
        finish()
        reject(translated(error))
      }
      start(query)
    }, reject)
  }
}

function boundTransaction(
  client: postgres.Sql,
  work: (tx: postgres.TransactionSql) => Promise<unknown>,
  gate: Gate,
  deadlineMs: number,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const late = () => databaseUnavailable(new Error('a transaction took too long'))
  let expired = false
  const timer = setTimeout(() => {
    expired = true
    reject(late())
  }, deadlineMs)
  gate
    .run(() => client.begin((tx) => work(stopWhen(() => expired, tx, late))))
    .then(resolve, (error) => reject(translated(error)))
    .finally(() => clearTimeout(timer))
  return promise
}

/** A transaction whose caller has been told that it failed must not go on to commit. */
function stopWhen(
  expired: () => boolean,
  tx: postgres.TransactionSql,
  late: () => Error,
): postgres.TransactionSql {
  const unsafe = (...query: Parameters<postgres.Sql['unsafe']>) => {
    if (expired()) throw late()
    return tx.unsafe(...query)
  }
  return new Proxy(tx, { get: (target, key) => (key === 'unsafe' ? unsafe : Reflect.get(target, key)) })
}
