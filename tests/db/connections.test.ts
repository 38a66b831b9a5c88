import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { connect, type Database } from '../../src/db/client'
import { quietLog } from '../support/backup'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { until } from '../support/until'

setDefaultTimeout(240_000)

describe.skipIf(!canStartPostgres)('connections to a server', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: 'off' })
  })
  afterAll(() => server?.dispose())

  async function withDatabase(poolMax: number, work: (db: Database['db']) => Promise<void>) {
    const database = connect({ url: server.url('redlight') }, { poolMax, log: quietLog })
    await work(database.db).finally(() => database.close())
  }

  test('plan a statement once, also one without parameters', () =>
    withDatabase(1, async (db) => {
      const statement = db.select({ one: sql`1` }).from(sql`(select) as nothing`).prepare('one')
      for (let i = 0; i < 3; i++) await statement.execute()
      const planned =
        await db.execute(sql`select generic_plans + custom_plans as times from pg_prepared_statements
        where statement like 'select 1 %'`)
      expect([...planned]).toEqual([{ times: '3' }])
    }))

  test('still take several statements at once', () =>
    withDatabase(1, async (db) => {
      await db.execute(sql`create temp table things (it int); insert into things values (1), (2)`)
      expect([...(await db.execute(sql`select count(*) from things`))]).toEqual([{ count: '2' }])
    }))

  test('are used again, the last one first', () =>
    withDatabase(3, async (db) => {
      const own = () => db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
      const pidOf = async () => (await own())[0]?.pid
      const all = new Set(await Promise.all([pidOf(), pidOf(), pidOf()]))
      expect(all.size).toBe(3)
      const next = new Set<number | undefined>()
      for (let i = 0; i < 5; i++) next.add(await pidOf())
      expect(next.size).toBe(1)
    }))

  test('do not pass the result of a query that is cancelled while another one runs to the next', async () => {
    const sql = server.connect()
    const holder = server.connect()
    const ask = (what: string) => sql.unsafe(`select '${what}' as it`, [], { prepare: true })
    const names = ['cancelled', 'second', 'third']
    // Prepared on the connection, so that they are sent at once.
    for (const name of names) await ask(name)
    const answers = await holder.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(1)`
      const before = sql`select pg_advisory_xact_lock(1)`.execute()
      await until(async () => (await tx`select from pg_locks where not granted`).length > 0)
      const [cancelled, ...others] = names.map((name) => ask(name).execute())
      await new Promise<void>((resolve) => setImmediate(resolve))
      cancelled?.cancel()
      return { all: Promise.all([before, ...others]), cancelled: cancelled?.catch(() => {}) }
    })
    const [, ...rows] = await answers.all
    expect(rows.map(([row]) => row?.it)).toEqual(['second', 'third'])
    await answers.cancelled
    await sql.end()
    await holder.end()
  })
})
