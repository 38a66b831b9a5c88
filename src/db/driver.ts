import type postgres from 'postgres'
import { patienceMs } from '../deadline'
import type { Gate } from '../waiting'
import { databaseUnavailable, translated } from './errors'

/** What a postgres.js query is made of, beyond its published type. */
type Query = {
  handler: (query: Query) => void
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  canceller: (query: Query) => Promise<void>
}

const tooLate = () => databaseUnavailable(new Error('the database took too long'))

/**
 * The same client with a limit on everything that can wait: a query is handed to postgres.js only once a connection
 * is free (its own queue knows no time limit, and it lines queries up behind slow ones), and whatever has not been
 * answered at the deadline is cancelled and fails.
 */
export function boundClient(client: postgres.Sql, gate: Gate, deadlineMs: number): postgres.Sql {
  const unsafe = (...query: Parameters<postgres.Sql['unsafe']>) => {
    const pending = client.unsafe(...query)
    boundQuery(pending as unknown as Query, gate, patienceMs(deadlineMs))
    return pending
  }
  const begin = (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
    boundTransaction(client, work, gate, patienceMs(deadlineMs))
  return new Proxy(client, {
    get: (target, key) => (key === 'unsafe' ? unsafe : key === 'begin' ? begin : Reflect.get(target, key)),
  })
}

/** postgres.js calls `handler` to start a query, and `resolve` or `reject` once its connection is done with it. */
function boundQuery(query: Query, gate: Gate, patience: number) {
  const { handler: start, resolve, reject } = query
  const endsAt = performance.now() + patience
  query.handler = () => {
    gate.enter().then((leave) => {
      const finish = () => {
        clearTimeout(timer)
        leave()
      }
      const timer = setTimeout(
        () => {
          reject(tooLate())
          // Without an answer either way: the server that would take the cancellation may be the one that hangs.
          query.canceller(query).catch(() => {})
        },
        Math.max(0, endsAt - performance.now()),
      )
      query.resolve = (result) => {
        finish()
        resolve(result)
      }
      query.reject = (error) => {
        finish()
        reject(translated(error))
      }
      if (performance.now() < endsAt) start(query)
      else query.reject(tooLate())
    }, reject)
  }
}

function boundTransaction(
  client: postgres.Sql,
  work: (tx: postgres.TransactionSql) => Promise<unknown>,
  gate: Gate,
  patience: number,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  let expired = false
  const timer = setTimeout(() => {
    expired = true
    reject(tooLate())
  }, patience)
  /** A transaction whose caller has been told that it failed must not go on to commit. */
  const stopIfExpired = () => {
    if (expired) throw tooLate()
  }
  const stoppable = async (tx: postgres.TransactionSql) => {
    const result = await work(checkedBefore(tx, stopIfExpired))
    stopIfExpired()
    return result
  }
  gate
    .run(async () => {
      stopIfExpired()
      return client.begin(stoppable)
    })
    .then(resolve, (error) => reject(translated(error)))
    .finally(() => clearTimeout(timer))
  return promise
}

/** The same transaction, which checks something before each of its queries. */
function checkedBefore(tx: postgres.TransactionSql, check: () => void): postgres.TransactionSql {
  const unsafe = (...query: Parameters<postgres.Sql['unsafe']>) => {
    check()
    return tx.unsafe(...query)
  }
  return new Proxy(tx, { get: (target, key) => (key === 'unsafe' ? unsafe : Reflect.get(target, key)) })
}
