import { describe, expect, test } from 'bun:test'
import { writtenTogether } from '../../src/db/batch'
import { connect, type Db } from '../../src/db/client'
import { databaseUnavailable } from '../../src/db/errors'
import { Failure } from '../../src/errors'
import { later } from '../../src/later'
import { createLog } from '../../src/log'
import { currentBill, withDeadline } from '../../src/waiting'
import { until } from '../support/until'

const TIME_MS = 60_000
/** Only a key for the batches; it never gets a query. */
const newDb = (): Db =>
  connect({ url: 'postgres://nobody@127.0.0.1:1/nothing' }, { poolMax: 1, log: createLog('error', () => {}) })
    .db
const as = <T>(client: string, work: () => T, milliseconds = TIME_MS, bill = { client, databaseMs: 0 }) =>
  withDeadline(milliseconds, work, bill)

/** Records the rows of each statement, and fails on demand. */
function writer(failure: (rows: readonly string[]) => Error | undefined = () => undefined) {
  const statements: (readonly string[])[] = []
  const write = writtenTogether<string, string>(async (_, rows) => {
    statements.push(rows)
    const error = failure(rows)
    if (error !== undefined) throw error
    return rows
  })
  return { statements, write }
}
const cancelled = () =>
  databaseUnavailable(Object.assign(new Error('canceling statement'), { code: '57014' }))
const lost = () => databaseUnavailable(Object.assign(new Error('closed'), { code: 'CONNECTION_CLOSED' }))

describe('rows written at the same moment', () => {
  test('share a statement if they are small, also those of several clients', async () => {
    const { statements, write } = writer()
    const db = newDb()
    const rows = Array.from({ length: 30 }, (_, i) => `row ${i}`)
    expect(await Promise.all(rows.map((row, i) => as(`client ${i % 3}`, () => write(db, row))))).toEqual(rows)
    expect(statements).toEqual([rows])
  })

  test('share one also if they come later, while two statements are under way', async () => {
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
    // A statement waits for an earlier one for 10 ms at most, which a busy machine may take for the turns.
    await until(async () => {
      const statements: (readonly string[])[] = []
      const ended = Promise.withResolvers<void>()
      const write = writtenTogether<string, string>(async (_, rows) => {
        statements.push(rows)
        await ended.promise
        return rows
      })
      const db = newDb()
      const rows = ['first', 'second', 'third', 'fourth']
      const sent: Promise<string | undefined>[] = []
      for (const row of rows) {
        sent.push(as('a', () => write(db, row)))
        await turn()
      }
      ended.resolve()
      expect(await Promise.all(sent)).toEqual(rows)
      return Bun.deepEquals(statements, [['first'], ['second'], ['third', 'fourth']])
    })
  })

  test('get a statement per client, limited in bytes, if they are heavy', async () => {
    const { statements, write } = writer()
    const db = newDb()
    const heavy = (client: string) => client.repeat(100_000)
    const sent = [...'aaaaa', ...'bb'].map((client) => as(client, () => write(db, heavy(client))))
    const small = as('c', () => write(db, 'small'))
    await Promise.all([...sent, small])
    const shapes = statements.map((rows) => rows.map((row) => row.slice(0, 5)))
    expect(shapes.toSorted()).toEqual(
      [['aaaaa', 'aaaaa'], ['aaaaa', 'aaaaa'], ['aaaaa'], ['bbbbb', 'bbbbb'], ['small']].toSorted(),
    )
  })

  test('are written again one by one if the statement timed out', async () => {
    const { statements, write } = writer((rows) => (rows.length > 1 ? cancelled() : undefined))
    const db = newDb()
    const rows = ['one', 'two', 'three']
    expect(await Promise.all(rows.map((row) => as('a', () => write(db, row))))).toEqual(rows)
    expect(statements).toEqual([rows, ['one'], ['two'], ['three']])
  })

  test('are not written again after a lost connection, since they may exist', async () => {
    const { statements, write } = writer(lost)
    const db = newDb()
    const outcomes = await Promise.allSettled(['one', 'two'].map((row) => as('a', () => write(db, row))))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(statements).toEqual([['one', 'two']])
  })
})

describe('shared work', () => {
  test('has the longest deadline of its callers, and each gives up at their own', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const shared = later(
      () => new Failure('databaseUnavailable'),
      () => promise,
    )
    const hasty = as('hasty', () => shared.join(), 1)
    const patient = as('patient', () => shared.join())
    await expect(hasty).rejects.toThrow(new Failure('databaseUnavailable'))
    resolve('done')
    expect(await patient).toBe('done')
  })

  test('is paid for in shares', async () => {
    const bills = ['a', 'a', 'b', 'b'].map((client) => ({ client, databaseMs: 1 }))
    const shared = later(
      () => new Failure('databaseUnavailable'),
      async () => {
        const bill = currentBill()
        if (bill !== undefined) bill.databaseMs += 100
        return bill?.client
      },
    )
    const clients = await Promise.all(bills.map((bill) => as('', () => shared.join(), TIME_MS, bill)))
    expect(bills.map(({ databaseMs }) => databaseMs)).toEqual([26, 26, 26, 26])
    // It doesn't wait for a share of any client.
    expect(new Set(clients)).toEqual(new Set([undefined]))
  })
})
