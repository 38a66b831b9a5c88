import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type postgres from 'postgres'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { quietSettings, runProgram, signUp, startProgram } from '../support/program'
import { startProxy } from '../support/proxy'

const TIMEOUT_MS = 60_000
/** That of src/migrations/migrate.ts. */
const MIGRATION_LOCK = 7_303_014

/** The turn to migrate, of a database that has everything before it. */
async function holdMigrations(sql: postgres.Sql) {
  await sql.unsafe(`drop schema if exists drizzle cascade; drop schema public cascade;
    create schema public; grant all on schema public to public`)
  await sql`select pg_advisory_lock(${MIGRATION_LOCK})`
}

describe.skipIf(!canStartPostgres)('what takes its time', () => {
  let server: PostgresServer
  let environment: Record<string, string>

  beforeAll(async () => {
    server = await startPostgres()
    environment = { ...quietSettings, DATABASE_URL: server.url('redlight') }
  }, TIMEOUT_MS)
  afterAll(async () => {
    await server?.dispose()
  }, TIMEOUT_MS)

  test(
    'a start waits for a database that is down, and for one that is coming up',
    async () => {
      const proxy = await startProxy(server.port, 'starting')
      await server.stop('fast')
      const starts = Promise.all([
        startProgram(environment),
        startProgram({ ...environment, DATABASE_URL: server.url('redlight', { port: proxy.port }) }),
      ])
      await Bun.sleep(2000)
      await server.start()
      proxy.become('passing')
      for (const program of await starts) {
        expect(program.lines.filter((line) => line.includes('waiting for the database'))).toHaveLength(1)
        expect(await program.stop()).toMatchObject({ exitCode: 0 })
      }
      proxy.close()
    },
    TIMEOUT_MS,
  )

  test(
    'a start whose migrations take longer than any request, or than a start may wait for its database',
    async () => {
      const sql = server.connect()
      await holdMigrations(sql)
      let isUp = false
      const start = startProgram({ ...environment, DATABASE_WAIT: '1s' }).finally(() => {
        isUp = true
      })
      await Bun.sleep(6000)
      expect(isUp).toBe(false)
      await sql.end()
      const program = await start
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'a start whose migrations lose their connection',
    async () => {
      const sql = server.connect()
      await holdMigrations(sql)
      const start = startProgram(environment)
      await Bun.sleep(1500)
      await server.restart('immediate')
      const program = await start
      expect(program.lines.filter((line) => line.includes('waiting for the database'))).toHaveLength(1)
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
      await sql.end({ timeout: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'a command that waits longer than any request',
    async () => {
      const program = await startProgram(environment)
      const { email } = await signUp(program, environment)
      await program.stop()
      const sql = server.connect()
      const held = sql.begin(async (tx) => {
        await tx`lock table movies in exclusive mode`
        await Bun.sleep(6000)
      })
      const removed = await runProgram(environment, ['users', 'remove', email])
      expect(removed).toMatchObject({ exitCode: 0, stderr: '' })
      await held
      await sql.end()
    },
    TIMEOUT_MS,
  )
})
