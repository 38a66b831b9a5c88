import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Load, startLoad } from '../support/load'
import { canStartPostgres, own, type PostgresServer, startPostgres } from '../support/postgres'
import { type Program, quietSettings, signUp, startProgram } from '../support/program'
import { startProxy } from '../support/proxy'
import { until } from '../support/until'

/** A fault lasts until this many requests have been refused; in the bench, it also lasts this many seconds. */
const REFUSALS = 20
const FAULT_MS = Number(process.env.FAULT_SECONDS ?? 0) * 1000
// The promise is 5 s and 2 s; the rest is for a busy machine.
const MAX_ANSWER_MS = 5500
const MAX_RECOVERY_SECONDS = 4
const TIMEOUT_MS = 300_000 + 3 * FAULT_MS
const MAX_CONNECTIONS = 16
const canMount = process.platform === 'linux' && process.getuid?.() === 0

const terminateAll = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'"

async function health(program: Program): Promise<number> {
  const response = await fetch(new URL('/v1/healthcheck', program.url))
  await response.text()
  return response.status
}

async function storedTitles(server: PostgresServer): Promise<Map<number, string>> {
  const rows = await server.admin('select id, title from movies')
  return new Map(rows.map(({ id, title }) => [Number(id), title]))
}

describe.skipIf(!canStartPostgres)('under load, the service survives a PostgreSQL', () => {
  let server: PostgresServer
  let program: Program
  let token: string
  let load: Load

  async function begin(settings: Record<string, string> = {}) {
    const environment = { ...quietSettings, DATABASE_URL: server.url('redlight'), DATABASE_POOL_MAX: '5' }
    program = await startProgram({ ...environment, ...settings })
    token ??= (await signUp(program, environment)).token
    load = startLoad(program.url, token)
    await load.isUnderWay()
  }

  beforeAll(async () => {
    server = await startPostgres({ max_connections: MAX_CONNECTIONS, superuser_reserved_connections: 4 })
  }, TIMEOUT_MS)
  afterEach(async () => {
    await load.stop()
    await program.stop()
  })
  afterAll(async () => {
    await server?.dispose()
  }, TIMEOUT_MS)

  /** Requests that began during the fault have failed. */
  const isFelt = () => load.isRefused(REFUSALS, FAULT_MS)

  /** Checks everything after the fault, which has just ended. */
  async function allIsWellAgain(name: string, maxRecoverySeconds = MAX_RECOVERY_SECONDS) {
    const returnedAt = performance.now()
    await until(async () => (await health(program)) === 200)
    await until(() => load.isServedAgain())
    await load.stop()
    const recovery = Math.max(0, load.lastRefusalBegunAt() - returnedAt) / 1000
    console.log(
      `${name}: well again ${recovery.toFixed(2)} s after its end; slowest answer ${load.slowestMs().toFixed(0)} ms;`,
      JSON.stringify(load.byStatus),
    )
    const isLate = load.slowestMs() > MAX_ANSWER_MS || recovery > maxRecoverySeconds
    if (FAULT_MS > 0 && isLate) throw new Error(`${name}: too late`)
    const errors = program.lines.filter((line) => line.includes('"level":"error"'))
    expect({ wrong: load.wrong, errors }).toEqual({ wrong: [], errors: [] })
    // The same process: nothing restarts it.
    expect(program.isRunning()).toBe(true)
    const stored = await storedTitles(server)
    expect([...load.acknowledged].filter(([id, title]) => stored.get(id) !== title)).toEqual([])
  }

  test(
    'that restarts without closing its connections',
    async () => {
      await begin()
      await server.restart('immediate')
      await allIsWellAgain('restart')
    },
    TIMEOUT_MS,
  )

  test(
    'that is stopped and started',
    async () => {
      await begin()
      await server.stop('immediate')
      await isFelt()
      await until(async () => (await health(program)) === 503)
      await server.start()
      await allIsWellAgain('stopped')
    },
    TIMEOUT_MS,
  )

  test(
    'that keeps ending all connections',
    async () => {
      await begin()
      for (let i = 0; i < 5; i++) {
        await server.admin(terminateAll)
        await load.isUnderWay()
      }
      await allIsWellAgain('connections ended')
    },
    TIMEOUT_MS,
  )

  test(
    'that has too many connections',
    async () => {
      await begin()
      await server.admin("create role hog login password 'hog'")
      const hogs = server.connect('redlight', MAX_CONNECTIONS, 'hog', 'hog')
      const endsAt = performance.now() + FAULT_MS
      // Each round takes some of the service's connections; their new owners keep them by using them.
      for (let turn = 0; performance.now() < endsAt || load.refusals() < REFUSALS; turn++) {
        if (turn % 4 === 0) await server.admin(terminateAll)
        await Promise.allSettled(Array.from({ length: MAX_CONNECTIONS }, () => hogs`select pg_sleep(0.2)`))
      }
      const [counted] = await server.admin(
        "select count(*)::int as hogs from pg_stat_activity where usename = 'hog'",
      )
      console.log(`${counted?.hogs} connections were taken`)
      // The server refuses at once, so nobody waits.
      expect(program.lines.filter((line) => line.includes('took too long'))).toEqual([])
      await hogs.end({ timeout: 0 })
      await allIsWellAgain('too many connections')
    },
    TIMEOUT_MS,
  )

  test(
    'that takes no connections to the database',
    async () => {
      await begin()
      await server.admin('alter database redlight with allow_connections false', 'postgres')
      await server.admin(terminateAll, 'postgres')
      await isFelt()
      await server.admin('alter database redlight with allow_connections true', 'postgres')
      await allIsWellAgain('no connections to the database')
    },
    TIMEOUT_MS,
  )

  test(
    'that is read-only',
    async () => {
      await begin()
      const become = async (value: 'on' | 'off') => {
        await server.admin(`alter system set default_transaction_read_only = ${value}`)
        await server.admin('select pg_reload_conf()')
      }
      await become('on')
      await isFelt()
      await become('off')
      await allIsWellAgain('read-only')
    },
    TIMEOUT_MS,
  )

  test(
    'with a locked table',
    async () => {
      await begin()
      const sql = server.connect()
      await sql.begin(async (tx) => {
        await tx`lock table movies in access exclusive mode`
        await isFelt()
        // It responds although every connection of the pool waits for the lock.
        expect(await health(program)).toBe(200)
      })
      await sql.end()
      await allIsWellAgain('locked')
    },
    TIMEOUT_MS,
  )

  test(
    'that is frozen and thawed',
    async () => {
      await begin()
      await server.freeze()
      await isFelt()
      await until(async () => (await health(program)) === 503)
      await server.thaw()
      await allIsWellAgain('frozen')
    },
    TIMEOUT_MS,
  )

  test.skipIf(!canMount)(
    'with a full disk',
    async () => {
      const disk = join(server.folder, 'disk')
      await Bun.$`mkdir ${disk} && mount -t tmpfs -o size=16m redlight-test ${disk}`.quiet()
      try {
        await own(disk)
        await server.admin(`create tablespace small location '${disk}'`)
        await begin()
        await server.admin('alter table movies set tablespace small')
        const ballast = join(disk, 'ballast')
        await Bun.$`head -c 32m /dev/zero > ${ballast}`.quiet().nothrow()
        await isFelt()
        await Bun.$`rm ${ballast}`
        await allIsWellAgain('disk full')
        await server.admin('alter table movies set tablespace pg_default')
      } finally {
        await Bun.$`umount --lazy ${disk}`.quiet().nothrow()
      }
    },
    TIMEOUT_MS,
  )

  test(
    'whose machine disappears silently, and another takes its address',
    async () => {
      const proxy = await startProxy(server.port, 'passing')
      await begin({ DATABASE_URL: server.url('redlight', { port: proxy.port }) })
      proxy.become('silent')
      proxy.dropConnections()
      await isFelt()
      await until(async () => (await health(program)) === 503)
      proxy.become('passing')
      // The old connections never end: they are given up after 15 s of silence.
      await allIsWellAgain('gone without a word', 16)
      await program.stop()
      proxy.close()
    },
    TIMEOUT_MS,
  )

  test(
    'behind a proxy that closes connections',
    async () => {
      const proxy = await startProxy(server.port, 'passing')
      await begin({ DATABASE_URL: server.url('redlight', { port: proxy.port }) })
      proxy.become('closing')
      await server.admin(terminateAll)
      const before = proxy.accepted()
      await until(async () => (await health(program)) === 503)
      await isFelt()
      // Seven connections that retry four times a second.
      console.log(`${proxy.accepted() - before} connections for ${load.refusals()} refusals`)
      proxy.become('passing')
      await allIsWellAgain('hung up')
      await program.stop()
      proxy.close()
    },
    TIMEOUT_MS,
  )

  test(
    'that takes seconds for each of the queries that a request needs',
    async () => {
      const proxy = await startProxy(server.port, 'passing')
      await begin({ DATABASE_URL: server.url('redlight', { port: proxy.port }) })
      proxy.become('slow')
      // One round of responses in time, while users are cached, and then one that isn't.
      await isFelt()
      proxy.become('passing')
      await allIsWellAgain('slow')
      await program.stop()
      proxy.close()
    },
    TIMEOUT_MS,
  )
})
