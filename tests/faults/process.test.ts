import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { connect as connectTo, type Socket } from 'node:net'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { withFaults } from '../support/faults'
import { startLoad } from '../support/load'
import { canStartPostgres, freePort, type PostgresServer, startPostgres } from '../support/postgres'
import { type Program, quietSettings, runProgram, signUp, startProgram } from '../support/program'
import { until } from '../support/until'

// Several starts of the program, each of which takes seconds on a busy machine.
const TIMEOUT_MS = 300_000
const SHUTDOWN_TIMEOUT_SECONDS = 2

afterAll(removeFolders)

async function get(program: Program, path: string, token?: string) {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` }
  const response = await fetch(new URL(path, program.url), { headers })
  return { status: response.status, text: await response.text() }
}

const HOUR_MS = 3_600_000
/** Whether two lines of the log are more than an hour apart. */
const isFarFrom = (line: string, other = '') => {
  const [at, then] = [line, other].map((text) => Date.parse(/"time":"([^"]+)"/.exec(text)?.[1] ?? ''))
  return Math.abs(Number(at) - Number(then)) > HOUR_MS
}

/** A connection that sends this text and then waits. */
async function connectAndSend(program: Program, text: string): Promise<Socket> {
  const socket = connectTo(Number(program.url.port), program.url.hostname)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return socket
}

function faultsOfTheProcess(environmentOf: () => Promise<Record<string, string>>) {
  test(
    'kill -9 during writes loses nothing that was acknowledged',
    async () => {
      const environment = await environmentOf()
      let program = await startProgram(environment)
      const { token } = await signUp(program, environment)
      const acknowledged = new Map<number, string>()
      for (let round = 0; round < 3; round++) {
        const load = startLoad(program.url, token)
        await load.isUnderWay()
        load.mayFail()
        program.kill('SIGKILL')
        await program.exited
        await load.stop()
        expect(load.wrong).toEqual([])
        expect(load.acknowledged.size).toBeGreaterThan(0)
        for (const [id, title] of load.acknowledged) acknowledged.set(id, title)
        program = await startProgram(environment)
        for (const [id, title] of acknowledged) {
          const { status, text } = await get(program, `/v1/movies/${id}`, token)
          expect({ id, status, title: JSON.parse(text).movie?.title }).toEqual({ id, status: 200, title })
        }
      }
      console.log(`kill -9: ${acknowledged.size} acknowledged movies, none lost`)
      await program.stop()
    },
    TIMEOUT_MS,
  )

  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(
      `${signal} under load ends it, but no request in flight`,
      async () => {
        const environment = await environmentOf()
        for (let round = 0; round < 3; round++) {
          const program = await startProgram(environment)
          const { token } = await signUp(program, environment)
          const load = startLoad(program.url, token)
          await load.isUnderWay()
          load.mayFailFromNow()
          const { exitCode, seconds } = await program.stop(signal)
          const late = await fetch(new URL('/v1/healthcheck', program.url)).catch((error) => error)
          await load.stop()
          console.log(`${signal}: ended after ${seconds.toFixed(2)} s;`, JSON.stringify(load.byStatus))
          expect(exitCode).toBe(0)
          expect(load.wrong).toEqual([])
          expect(load.acknowledged.size).toBeGreaterThan(0)
          expect(late).toBeInstanceOf(Error)
          expect(program.lines.at(-1)).toContain('"stopped"')
        }
      },
      TIMEOUT_MS,
    )

  test(
    'idle and stuck clients delay its end by SHUTDOWN_TIMEOUT at most',
    async () => {
      const environment = {
        ...(await environmentOf()),
        SHUTDOWN_TIMEOUT: `${SHUTDOWN_TIMEOUT_SECONDS}s`,
      }
      const program = await startProgram(environment)
      const { token } = await signUp(program, environment)
      const clients = await Promise.all(
        [
          '',
          'GET /v1/healthcheck HTTP/1.1\r\nHost: x\r\n\r\n',
          'GET /v1/healthcheck HTTP/1.1\r\nHost',
          `POST /v1/movies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
          `POST /v1/movies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
        ].map((text) => connectAndSend(program, text)),
      )
      // The clients don't close them.
      const { exitCode, seconds } = await program.stop()
      console.log(`stuck clients: ended after ${seconds.toFixed(2)} s`)
      expect(exitCode).toBe(0)
      for (const client of clients) client.destroy()
    },
    TIMEOUT_MS,
  )

  test(
    'a full log disk does not keep it from serving',
    async () => {
      const environment = { ...(await environmentOf()), PORT: String(await freePort()) }
      const program = await startProgram(environment, { output: Bun.file('/dev/full') })
      for (let i = 0; i < 50; i++) expect((await get(program, '/v1/movies')).status).toBe(401)
      expect(program.isRunning()).toBe(true)
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'a jump of the clock changes nothing for signed-in users',
    async () => {
      const environment = { ...(await environmentOf()), LIMITER_ENABLED: 'true', LIMITER_EXEMPT: '' }
      const program = await startProgram(environment, { preload: './tests/support/jumping-clock.ts' })
      const { token } = await signUp(program, environment)
      for (let jump = 0; jump < 4; jump++) {
        expect((await get(program, '/v1/movies', token)).status).toBe(200)
        const before = program.lines.length
        program.kill('SIGUSR2')
        // The signal has arrived once a new line has a different time; each request logs one.
        await until(async () => {
          await get(program, '/v1/movies')
          return program.lines.slice(before).some((line) => isFarFrom(line, program.lines[before - 1]))
        })
        expect((await get(program, '/v1/movies', token)).status).toBe(200)
        expect((await get(program, '/v1/healthcheck')).status).toBe(200)
      }
      // A token issued at the changed time is valid too.
      await signUp(program, environment)
      const hours = program.lines
        .map((line) => (line.startsWith('{') ? JSON.parse(line).time : undefined))
        .map((time) => Math.round((Date.parse(time ?? '') - Date.now()) / 3_600_000))
      expect(new Set(hours)).toContain(2)
      expect(new Set(hours)).toContain(-2)
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
    },
    TIMEOUT_MS,
  )
}

describe.skipIf(!canStartPostgres)('on PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  }, TIMEOUT_MS)
  afterAll(async () => {
    await server?.dispose()
  }, TIMEOUT_MS)

  const environmentOf = async () => ({ ...quietSettings, DATABASE_URL: server.url('redlight') })
  faultsOfTheProcess(environmentOf)

  test(
    'a request that waits for the database during the signal gets its response',
    async () => {
      const environment = await environmentOf()
      const program = await startProgram(environment)
      const { token } = await signUp(program, environment)
      const sql = server.connect()
      const locked = Promise.withResolvers<void>()
      const stopping = Promise.withResolvers<void>()
      const held = sql.begin(async (tx) => {
        await tx`lock table movies in access exclusive mode`
        locked.resolve()
        await stopping.promise
      })
      await locked.promise
      const answers = Promise.all([1, 2, 3].map((id) => get(program, `/v1/movies/${1_000_000 + id}`, token)))
      const isWaiting = () =>
        server.admin("select from pg_stat_activity where usename = 'app' and wait_event_type = 'Lock'")
      await until(async () => (await isWaiting()).length > 0)
      const stopped = program.stop()
      await program.logged('"stopping"')
      stopping.resolve()
      const [{ exitCode }, statuses] = await Promise.all([
        stopped,
        answers.then((all) => all.map(({ status }) => status)),
      ])
      expect({ exitCode, statuses }).toEqual({ exitCode: 0, statuses: [404, 404, 404] })
      await held
      await sql.end()
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(!withFaults)('on the embedded database', () => {
  const newEnvironment = async () => ({ ...quietSettings, DATA_DIR: await newFilledFolder() })
  faultsOfTheProcess(newEnvironment)

  let first: Program | undefined
  afterEach(async () => {
    await first?.stop()
    first = undefined
  })

  test(
    'a second process on its folder gets an error, and does no damage',
    async () => {
      const environment = await newEnvironment()
      first = await startProgram(environment)
      const { token } = await signUp(first, environment)
      const load = startLoad(first.url, token)
      for (let i = 0; i < 3; i++) {
        const second = await runProgram(environment)
        expect(second.exitCode).toBe(1)
        expect(second.stderr).toBe(
          `redlight serve: ${environment.DATA_DIR} is in use by redlight (pid ${first.pid}, ${first.url.origin}). Stop it, or set DATA_DIR.\n`,
        )
      }
      await load.stop()
      expect(load.wrong).toEqual([])
      await first.stop()
      first = await startProgram(environment)
      for (const [id, title] of load.acknowledged)
        expect((await get(first, `/v1/movies/${id}`, token)).text).toContain(title)
    },
    TIMEOUT_MS,
  )
})
