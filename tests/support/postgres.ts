import { rmSync } from 'node:fs'
import { chown, mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Glob } from 'bun'
import postgres from 'postgres'
import type { PostgresConfig } from '../../src/config/database'
import { type TestDatabase, testDatabaseUrl } from './database'
import { areFaultsWanted } from './faults'
import { scratchFolder } from './scratch'
import { until } from './until'

// A private PostgreSQL server, which tests may stop, freeze and starve.

const TOO_MANY_CONNECTIONS = '53300'
export const APP_PASSWORD = 'hunter2 & more'
export const ADMIN_PASSWORD = 'the administrator'
const isRoot = process.getuid?.() === 0
const programs = findPrograms()

/** The reason for skipping these tests. */
const reason =
  programs === undefined
    ? 'no PostgreSQL server programs (initdb, pg_ctl) under /usr/lib/postgresql/*/bin'
    : testDatabaseUrl !== undefined
      ? 'they bring a server of their own, so the run without TEST_DATABASE_URL has them'
      : areFaultsWanted
        ? undefined
        : 'they run with FAULTS=1'
export const canStartPostgres = reason === undefined
if (reason !== undefined) console.warn(`left out: tests on a PostgreSQL of their own: ${reason}`)

function findPrograms(): string | undefined {
  const [newest] = [...new Glob('/usr/lib/postgresql/*/bin/initdb').scanSync()].sort().reverse()
  const initdb = newest ?? Bun.which('initdb')
  return initdb?.slice(0, -'/initdb'.length)
}

export type PostgresServer = Awaited<ReturnType<typeof startPostgres>>

export async function startPostgres(settings: Record<string, string | number> = {}) {
  const folder = await mkdtemp(join(scratchFolder, 'redlight-postgres-'))
  const passwordFile = join(folder, 'password')
  await Bun.write(passwordFile, ADMIN_PASSWORD)
  if (isRoot) for (const path of [folder, passwordFile]) await own(path)
  const data = join(folder, 'data')
  await runAsServer('initdb', [
    ...['--pgdata', data, '--username', 'admin', '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-sync'],
  ])
  const port = await freePort()
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '16MB',
    max_connections: 30,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`)
  await Bun.write(join(data, 'postgresql.auto.conf'), lines.join(''))

  const { start, stop, restart, freeze, thaw, dispose } = controlOf(folder)
  const url = (database: string, other: { user?: string; password?: string; port?: number } = {}) => {
    const { user, password, port: at } = { user: 'app', password: APP_PASSWORD, port, ...other }
    return `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${at}/${database}`
  }
  const connect = (database = 'redlight', max = 1, user = 'admin', password = ADMIN_PASSWORD) =>
    postgres(url(database, { user, password }), { max, onnotice: () => {} })
  /** Runs a statement as the administrator, who can connect when others can't; retries until a connection is free. */
  const admin = (statement: string, database = 'redlight') =>
    until(async () => {
      const sql = connect(database)
      try {
        return await sql.unsafe(statement)
      } catch (error) {
        const isFull = error instanceof postgres.PostgresError && error.code === TOO_MANY_CONNECTIONS
        if (!isFull) throw error
      } finally {
        await sql.end()
      }
    })

  await start()
  await admin(`create role app login password '${APP_PASSWORD}'`, 'postgres')
  await admin('create database redlight owner app', 'postgres')
  return {
    port,
    folder,
    url,
    connect,
    admin,
    /** For a test server. */
    database: (config: Partial<PostgresConfig> = {}): TestDatabase => ({
      config: { kind: 'postgres', url: url('redlight'), poolMax: 5, waitMs: 5000, ...config },
      connect: () => connect(),
      drop: async () => {},
    }),
    start,
    stop,
    restart,
    freeze,
    thaw,
    dispose,
  }
}

/** Starts and stops the server whose cluster is in `folder`/data. */
export function controlOf(folder: string, ...options: string[]) {
  const data = join(folder, 'data')
  const log = ['--log', join(folder, 'log')]
  const control = (...args: string[]) => runAsServer('pg_ctl', ['--pgdata', data, '--wait', ...args])
  const stop = (mode: 'immediate' | 'fast') => control('stop', '--mode', mode)
  async function signal(name: 'SIGSTOP' | 'SIGCONT') {
    const main = Number((await Bun.file(join(data, 'postmaster.pid')).text()).split('\n')[0])
    const table = await Bun.$`ps -A -o pid=,ppid=`.text()
    const processes = table.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    const children = processes.filter(([, parent]) => parent === main).map(([pid = 0]) => pid)
    process.kill(main, name)
    for (const pid of children)
      try {
        process.kill(pid, name)
      } catch {
        // It has ended since.
      }
  }
  return {
    start: () => control('start', ...log, ...options),
    stop,
    restart: (mode: 'immediate' | 'fast') => control('restart', '--mode', mode, ...log),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async dispose() {
      await signal('SIGCONT').catch(() => {})
      await stop('immediate').catch(() => {})
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Tries until a server answers there. */
export async function untilItAnswers(url: string): Promise<void> {
  await until(async () => {
    // For PgBouncer: nothing prepared, and no query for types.
    const sql = postgres(url, {
      ...{ max: 1, onnotice: () => {}, connect_timeout: 2 },
      ...{ prepare: false, fetch_types: false },
    })
    const answers = await sql`select 1`.catch(() => [])
    await sql.end({ timeout: 0 })
    return answers.length
  })
}

/** PostgreSQL refuses to run as root, and PgBouncer too. */
export const asServer = (command: string[]) =>
  isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command

export async function runAsServer(program: string, args: string[]) {
  const command = [`${programs}/${program}`, ...args]
  const child = Bun.spawn(asServer(command), {
    cwd: '/',
    stdin: 'ignore',
    // No pipes: the server would inherit them and keep them open.
    stdout: 'ignore',
    stderr: 'ignore',
  })
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(' ')}`)
}

/** Gives a file or folder to the user that the server runs as. */
export async function own(path: string) {
  const id = async (flag: string) => Number(await Bun.$`id ${flag} postgres`.text())
  await chown(path, await id('-u'), await id('-g'))
}

export async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    server.close(() => resolve(port))
  })
  return promise
}
