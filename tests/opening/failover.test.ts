import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { startLoad } from '../support/load'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { launchProgram, quietSettings } from '../support/program'
import { startReplica } from '../support/replica'
import { aMovie, startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// Several hosts in DATABASE_URL: a primary and its standby on this machine, in both orders.

setDefaultTimeout(240_000)
const POOL_MAX = 8

type Replica = Awaited<ReturnType<typeof startReplica>>
const orders = ['primary first', 'standby first'] as const
type Order = (typeof orders)[number]

async function startPair() {
  const primary = await startPostgres({ fsync: 'off', max_connections: 60 })
  const standby = await startReplica(primary)
  const ownName = `127.0.0.1:${primary.port}`
  const listOf = (order: Order) => {
    const names = order === 'primary first' ? [ownName, standby.name] : [standby.name, ownName]
    return primary.url('redlight').replace(ownName, names.join())
  }
  return { primary, standby, listOf }
}

const serverOn = (url: string, primary: PostgresServer) =>
  startTestServer({}, { database: primary.database({ url, poolMax: POOL_MAX, waitMs: 10_000 }) })
const writesOf = async (server: TestServer, token: string) =>
  (await server.request('POST', '/v1/movies', { token, body: aMovie(crypto.randomUUID()) })).status

describe.skipIf(!canStartPostgres)('with several hosts', () => {
  let pair: Awaited<ReturnType<typeof startPair>>
  beforeAll(async () => {
    pair = await startPair()
  })
  afterAll(async () => {
    await pair?.standby.dispose()
    await pair?.primary.dispose()
  })

  const attributes = ['', '?target_session_attrs=read-write', '?target_session_attrs=primary']
  test.each(orders.flatMap((order) => attributes.map((attribute) => ({ order, attribute }))))(
    '$order $attribute: writes go to the primary',
    async ({ order, attribute }) => {
      const server = await serverOn(pair.listOf(order) + attribute, pair.primary)
      try {
        const { token } = await server.newUser()
        const statuses = await Promise.all(Array.from({ length: 20 }, () => writesOf(server, token)))
        expect(new Set(statuses)).toEqual(new Set([201]))
        expect((await server.request('GET', '/v1/healthcheck?for=writes')).status).toBe(200)
      } finally {
        await server.stop()
      }
    },
  )

  test('read-write refuses a primary that is read-only by default', async () => {
    const environment = {
      ...quietSettings,
      DATABASE_URL: `${pair.listOf('standby first')}?target_session_attrs=read-write`,
      LOG_LEVEL: 'info',
    }
    await pair.primary.admin('alter database redlight set default_transaction_read_only = on', 'postgres')
    const program = launchProgram(environment)
    await untilSaid(program, 'none of the hosts in DATABASE_URL answers as a primary')
    await pair.primary.admin('alter database redlight reset default_transaction_read_only', 'postgres')
    await program.listening
    expect(program.lines.filter((line) => line.includes('waiting for the database'))).toHaveLength(1)
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
  })

  test('a start waits for a primary and says so once', async () => {
    const { primary, standby } = pair
    const environment = { ...quietSettings, DATABASE_URL: pair.listOf('standby first'), LOG_LEVEL: 'info' }
    await primary.stop('immediate')
    const program = launchProgram(environment)
    await untilSaid(program, 'none of the hosts in DATABASE_URL answers as a primary')
    await standby.order('select pg_promote()')
    await program.listening
    expect(program.lines.filter((line) => line.includes('waiting for the database'))).toHaveLength(1)
    expect(await program.stop()).toMatchObject({ exitCode: 0 })
  })
})

async function untilSaid({ lines, isRunning }: ReturnType<typeof launchProgram>, words: string) {
  await until(() => {
    if (!isRunning()) throw new Error(`it ended: ${lines.join('\n')}`)
    return lines.some((line) => line.includes(words))
  })
}

describe.skipIf(!canStartPostgres)('a failover', () => {
  let pair: Awaited<ReturnType<typeof startPair>>
  let server: TestServer
  let load: ReturnType<typeof startLoad>

  async function open(order: Order): Promise<string> {
    pair = await startPair()
    // Otherwise PostgreSQL itself may lose acknowledged writes.
    await pair.primary.admin("alter system set synchronous_standby_names = '*'")
    await pair.primary.admin('select pg_reload_conf()')
    server = await serverOn(pair.listOf(order), pair.primary)
    const { token } = await server.newUser()
    // Opens all connections: each list needs its own.
    await Promise.all(
      Array.from({ length: 2 * POOL_MAX }, (_, page) =>
        server.request('GET', `/v1/movies?page=${page + 1}`, { token }),
      ),
    )
    return token
  }
  async function begin(order: Order) {
    const token = await open(order)
    load = startLoad(server.url, token)
    await until(() => load.acknowledged.size > 20)
  }
  afterEach(async () => {
    await load?.stop()
    await pair.primary.thaw().catch(() => {})
    await server.stop()
    await pair.standby.dispose()
    await pair.primary.dispose()
  })

  async function untilWritten(more: number) {
    const before = load.acknowledged.size
    await until(() => load.acknowledged.size >= before + more)
  }
  /** Every acknowledged write, before and after, is on the new primary. */
  async function nothingIsLost({ order }: Replica) {
    await load.stop()
    expect(load.wrong).toEqual([])
    const rows = await order('select id, title from movies')
    const stored = new Map(rows.map(({ id, title }) => [Number(id), title]))
    expect([...load.acknowledged].filter(([id, title]) => stored.get(id) !== title)).toEqual([])
  }

  test.each(orders)('%s: killed, and the standby promoted', async (order) => {
    await begin(order)
    await pair.primary.stop('immediate')
    await pair.standby.order('select pg_promote()')
    await untilWritten(50)
    await until(() => load.isServedAgain())
    await nothingIsLost(pair.standby)
  })

  test.each(orders)('%s: frozen, the standby promoted, and thawed again', async (order) => {
    await begin(order)
    await pair.primary.freeze()
    await pair.standby.order('select pg_promote()')
    await untilWritten(50)
    await until(() => load.isServedAgain())
    await pair.primary.thaw()
    const thawedAt = performance.now()
    // Connections to the old primary aren't used again: each write there would wait for a standby.
    await untilWritten(100)
    expect(load.lastRefusalBegunAt()).toBeLessThan(thawedAt)
    await nothingIsLost(pair.standby)
  })

  test('connections that were idle at the freeze are closed together', async () => {
    const token = await open('primary first')
    load = startLoad(server.url, token)
    await load.stop()
    await pair.primary.freeze()
    await pair.standby.order('select pg_promote()')
    const statuses: number[] = []
    while (statuses.at(-1) !== 201) statuses.push(await writesOf(server, token))
    expect(statuses.length).toBeLessThan(POOL_MAX / 2)
    await pair.primary.thaw()
    const all = await Promise.all(Array.from({ length: 2 * POOL_MAX }, () => writesOf(server, token)))
    expect(new Set(all)).toEqual(new Set([201]))
  })
})
