import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { SECRET } from '../support/config'
import { newFolder, removeFolders } from '../support/embedded'
import { withFaults } from '../support/faults'
import {
  ADMIN_PASSWORD,
  APP_PASSWORD,
  canStartPostgres,
  freePort,
  type PostgresServer,
  startPostgres,
} from '../support/postgres'
import { launchProgram, runProgram, startProgram } from '../support/program'

const TIMEOUT_MS = 300_000
const WRONG_SECRET = 'too short a secret'
const SECRETS = [SECRET, WRONG_SECRET, APP_PASSWORD, encodeURIComponent(APP_PASSWORD), ADMIN_PASSWORD]

afterAll(removeFolders)

/** A restart can't help, so the systemd units don't try (RestartPreventExitStatus). */
const FINAL = 78
type Expected = { args?: string[]; code?: number }

/** It must end, with a line for each problem that names the variable and the fix. */
async function failsWith(
  environment: Record<string, string>,
  problems: RegExp[],
  { args = ['serve'], code = 1 }: Expected = {},
) {
  const { exitCode, stdout, stderr } = await runProgram({ LOG_LEVEL: 'info', ...environment }, args)
  expect(stderr.trimEnd().split('\n')).toEqual(problems.map((problem) => expect.stringMatching(problem)))
  expect({ args, exitCode }).toEqual({ args, exitCode: code })
  for (const secret of SECRETS) expect(stdout + stderr).not.toContain(secret)
  // Neither a stack trace nor SQL.
  expect(stderr).not.toMatch(/^\s+at |\bselect\b|\bparams\b/im)
}

const postgres = { DATABASE_URL: 'postgres://app:hunter2@127.0.0.1:1/redlight', JWT_SECRET: SECRET }

describe.skipIf(!withFaults)('a wrong configuration', () => {
  const cases: [string, Record<string, string>, RegExp[]][] = [
    [
      'no secret',
      { DATABASE_URL: postgres.DATABASE_URL },
      [/^redlight serve: JWT_SECRET is required .*openssl/],
    ],
    ['a short secret', { ...postgres, JWT_SECRET: WRONG_SECRET }, [/JWT_SECRET needs at least 32 bytes/]],
    ['a port that is none', { PORT: '70000' }, [/PORT must be a port number .*not "70000"/]],
    ['an unknown value', { LIMITER_ENABLED: 'yes' }, [/LIMITER_ENABLED must be true or false, not "yes"/]],
    ['an invalid address', { ...postgres, DATABASE_URL: 'mysql://app:hunter2@db/x' }, [/DATABASE_URL must/]],
    [
      'several problems at once',
      {
        PORT: 'http',
        JWT_TTL: 'forever',
        LOG_LEVEL: 'loud',
        SHUTDOWN_TIMEOUT: '20',
        JWT_SECRET: WRONG_SECRET,
      },
      [/PORT must/, /JWT_SECRET needs/, /JWT_TTL must/, /LOG_LEVEL must/, /SHUTDOWN_TIMEOUT must/],
    ],
  ]
  for (const [name, environment, problems] of cases)
    test(name, () => failsWith(environment, problems, { code: FINAL }), TIMEOUT_MS)

  test(
    'is an ordinary failure for other commands',
    () => failsWith({ PORT: '70000' }, [/^redlight healthcheck: PORT must/], { args: ['healthcheck'] }),
    TIMEOUT_MS,
  )

  test(
    'a log level that would hide mails',
    () => failsWith({ LOG_LEVEL: 'warn' }, [/^redlight serve: LOG_LEVEL=warn would hide/], { code: FINAL }),
    TIMEOUT_MS,
  )

  test(
    'wrong usage exits with 2, and points to the help',
    async () => {
      for (const args of [['serv'], ['serve', 'now'], ['users', 'activate'], ['--port', '80']]) {
        const { exitCode, stderr } = await runProgram({}, args)
        expect({ args, exitCode }).toEqual({ args, exitCode: 2 })
        expect(stderr).toMatch(/^redlight.*help.*\n$/)
      }
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(!withFaults)('a port or folder that cannot be used', () => {
  test(
    'a port in use',
    async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await new Promise<void>((resolve) => other.once('listening', resolve))
      const address = other.address()
      const port = typeof address === 'object' ? String(address?.port) : ''
      const DATA_DIR = await newFolder()
      await failsWith({ DATA_DIR, PORT: port }, [
        new RegExp(`^redlight serve: PORT ${port} is in use .*set PORT to another`),
      ])
      other.close()
      // It left nothing behind that would prevent the next start.
      const program = await startProgram({ DATA_DIR, PORT: '0' })
      expect(await program.stop()).toMatchObject({ exitCode: 0 })
    },
    TIMEOUT_MS,
  )

  test(
    'an address of another machine',
    async () => {
      const environment = { DATA_DIR: await newFolder(), PORT: '0', HOST: '192.0.2.1' }
      await failsWith(environment, [/^redlight serve: can't listen on HOST 192\.0\.2\.1 .*set HOST/])
    },
    TIMEOUT_MS,
  )

  test(
    'a folder without write permission',
    async () => {
      const file = join(await newFolder(), 'file')
      await Bun.write(file, '')
      await failsWith(
        { DATA_DIR: join(file, 'data') },
        [/The data folder .* can't be written .*set DATA_DIR to another/],
        { code: FINAL },
      )
    },
    TIMEOUT_MS,
  )

  test(
    'a truncated secret in it',
    async () => {
      const DATA_DIR = await newFolder()
      await Bun.write(join(DATA_DIR, 'jwt-secret'), '')
      await failsWith(
        { DATA_DIR, PORT: '0' },
        [/jwt-secret holds less than 32 bytes: remove it.*JWT_SECRET/],
        { code: FINAL },
      )
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(!withFaults)('a missing database', () => {
  test(
    'is waited for during DATABASE_WAIT',
    async () => {
      const environment = {
        JWT_SECRET: SECRET,
        DATABASE_WAIT: '2s',
        DATABASE_URL: `postgres://app:${encodeURIComponent(APP_PASSWORD)}@127.0.0.1:${await freePort()}/redlight`,
      }
      await failsWith(environment, [/^redlight serve: .*ECONNREFUSED.*DATABASE_URL/])
      await failsWith(environment, [/^redlight users list: .*ECONNREFUSED.*DATABASE_URL/], {
        args: ['users', 'list'],
      })
    },
    TIMEOUT_MS,
  )

  test(
    'is no longer waited for after a signal',
    async () => {
      const program = launchProgram({ ...postgres, DATABASE_WAIT: '1h', LOG_LEVEL: 'info' })
      await program.logged('waiting for the database')
      // Long before the hour has passed.
      expect((await program.stop()).exitCode).toBe(0)
    },
    TIMEOUT_MS,
  )
})

describe.skipIf(!canStartPostgres)('a PostgreSQL that refuses', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  }, TIMEOUT_MS)
  afterAll(async () => {
    await server?.dispose()
  }, TIMEOUT_MS)

  const refuses = (name: string, urlOf: () => string, problem: RegExp, code = 1) =>
    test(
      `${name}, at once`,
      async () => {
        // Long, because these errors must not wait for it.
        const environment = { JWT_SECRET: SECRET, DATABASE_WAIT: '1h', PORT: '0', DATABASE_URL: urlOf() }
        await failsWith(environment, [problem], { code })
        await failsWith(environment, [problem], { args: ['migrate'] })
      },
      TIMEOUT_MS,
    )

  refuses(
    'the password',
    () => server.url('redlight', { password: 'wrong' }),
    /password authentication failed .*\(28P01\): .*DATABASE_URL/,
  )
  refuses('the user', () => server.url('redlight', { user: 'nobody' }), /28P01.*DATABASE_URL/)
  refuses(
    'the database',
    () => server.url('nowhere'),
    /database "nowhere" does not exist \(3D000\): create the database.*DATABASE_URL/,
  )
  refuses(
    'to create tables',
    () => server.url('postgres'),
    /the user app can't create tables in the database postgres: run GRANT CREATE ON DATABASE postgres TO app and GRANT/,
    FINAL,
  )

  test(
    'the schema that the tables belong in, at every retry',
    async () => {
      await server.admin('create database bare owner app')
      await server.admin('drop schema public', 'bare')
      const problems = [/has no schema public.*CREATE SCHEMA public/]
      const environment = { JWT_SECRET: SECRET, PORT: '0', DATABASE_URL: server.url('bare') }
      await failsWith(environment, problems, { code: FINAL })
      await failsWith(environment, problems, { args: ['migrate'] })
    },
    TIMEOUT_MS,
  )

  test(
    'tables that were never created',
    async () => {
      const environment = { JWT_SECRET: SECRET, DATABASE_URL: server.url('redlight') }
      await failsWith(environment, [/"users" does not exist .*redlight migrate/], { args: ['users', 'list'] })
    },
    TIMEOUT_MS,
  )
})
