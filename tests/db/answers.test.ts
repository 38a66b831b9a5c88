import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { until } from '../support/until'

setDefaultTimeout(240_000)

describe.skipIf(!canStartPostgres)('on one connection', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: 'off' })
  })
  afterAll(() => server?.dispose())

  test('a query that is cancelled while another one runs does not pass its result to the next', async () => {
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
