import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type postgres from 'postgres'
import { canStartPostgres, type PostgresServer, startPostgres } from '../support/postgres'
import { launchProgram, quietSettings, runProgram, signUp, startProgram } from '../support/program'
import { startProxy } from '../support/proxy'
import { until } from '../support/until'

const TIMEOUT_MS = 300_000
/** That of src/migrations/migrate.ts. */
const MIGRATION_LOCK = 7_303_014

const ASKS_FOR_ITS_TURN =
  "select from pg_stat_activity where usename = 'app' and query like '%pg_try_advisory_lock%'"
/** Longer than any request waits. */
const WAITS_LONG = `select from pg_stat_activity where usename = 'app' and wait_event_type = 'Lock'
  and now() - query_start > interval '6 seconds'`

/** The lock for migrations, on a database that has all earlier ones. */
async function holdMigrations(sql: postgres.Sql) {
  await sql.unsafe(`drop schema if exists drizzle cascade; drop schema public cascade;
    create schema public; grant all on schema public to public`)
  await sql`select pg_advisory_lock(${MIGRATION_LOCK})`
}

describe.skipIf(!canStartPostgres)('at a slow database', () => {
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
    'a start waits for a database that is down or starting',
    async () => {
      const proxy = await startProxy(server.port, 'starting')
      await server.stop('fast')
      const programs = [
        launchProgram(environment),
        launchProgram({ ...environment, DATABASE_URL: server.url('redlight', { port: proxy.port }) }),
      ]
      for (const program of programs) await program.logged('waiting for the database')
      await server.start()
      proxy.become('passing')
      for (const program of programs) {
        await program.listening
        expect(program.lines.filter((line) => line.includes('waiting for the database'))).toHaveLength(1)
        expect(await program.stop()).toMatchObject({ exitCode: 0 })
      }
      proxy.close()
    },
    TIMEOUT_MS,
  )

  test(
    'a start whose migrations take longer than any request or DATABASE_WAIT',
    async () => {
      const sql = server.connect()
      await holdMigrations(sql)
      const program = launchProgram({ ...environment, DATABASE_WAIT: '1s' })
      // On the server's clock; longer than a request or DATABASE_WAIT may take.
      await sql`select pg_sleep(6)`
      expect(program.lines.filter((line) => line.includes('"listening"'))).toEqual([])
      await sql.end()
      await program.listening
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'a start whose migrations lose their connection',
    async () => {
      const sql = server.connect()
      await holdMigrations(sql)
      const program = launchProgram(environment)
      await until(async () => (await server.admin(ASKS_FOR_ITS_TURN)).length > 0)
      // A restart between two questions would go unnoticed.
      await server.stop('immediate')
      await program.logged('waiting for the database')
      await server.start()
      await program.listening
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
        await until(async () => (await server.admin(WAITS_LONG)).length > 0)
      })
      const removed = await runProgram(environment, ['users', 'remove', '--yes', email])
      expect(removed).toMatchObject({ exitCode: 0, stderr: '' })
      await held
      await sql.end()
    },
    TIMEOUT_MS,
  )
})
