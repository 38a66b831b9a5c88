import { chown, mkdir } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { run, runToItsEnd } from './processes'
import { freePort } from './servers'

export type Cluster = {
  readonly version: string
  url(database: string): string
  connect(database: string): postgres.Sql
}

const GIGABYTE = 1024 ** 3
const AS_POSTGRES = ['setpriv', '--reuid', 'postgres', '--regid', 'postgres', '--clear-groups', '--']
const HOW_TO_GET_IT =
  'PostgreSQL 15 or newer is needed: "apt-get install postgresql", or PG_BIN=<the folder of its initdb>'

/** A private PostgreSQL with default durability and memory settings fit for this machine; stopped with the stack. */
export async function startCluster(folder: string, opened: AsyncDisposableStack): Promise<Cluster> {
  const bin = await findBinaries()
  const data = join(folder, 'cluster')
  await mkdir(data)
  // PostgreSQL refuses to run as root.
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(data, await idOf('-u'), await idOf('-g'))
  const owner = isRoot ? AS_POSTGRES : []
  const superuser = ['--username', 'bench', '--auth', 'trust']
  const text = ['--encoding', 'UTF8', '--locale', 'C.UTF-8', '--no-instructions']
  await run([...owner, join(bin, 'initdb'), '--pgdata', data, ...superuser, ...text], folder)

  const port = freePort()
  const sharedBuffersMb = Math.round(Math.min(totalmem() / 4, GIGABYTE) / 1024 ** 2)
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: data,
    shared_buffers: `${sharedBuffersMb}MB`,
    max_wal_size: '4GB',
  }
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  // pg_ctl takes the server out of our process group, so Ctrl-C doesn't reach it and we stop it.
  const control = [...owner, join(bin, 'pg_ctl'), '--pgdata', data, '--wait', '--silent']
  opened.defer(async () => {
    const isRunning = await Bun.file(join(data, 'postmaster.pid')).exists()
    if (isRunning) await runToItsEnd([...control, '--mode', 'immediate', 'stop'], folder)
  })
  await runToItsEnd([...control, '--log', join(data, 'log'), '--options', flags.join(' '), 'start'], folder)

  const url = (database: string) => `postgres://bench@127.0.0.1:${port}/${database}`
  const connect = (database: string) => postgres(url(database), { max: 2, onnotice: () => {} })
  const sql = connect('postgres')
  const [shown] = await sql<{ server_version: string }[]>`show server_version`
  await sql.end()
  return { version: shown?.server_version ?? 'unknown', url, connect }
}

async function findBinaries(): Promise<string> {
  const debian = await Array.fromAsync(
    new Bun.Glob('*/bin/initdb').scan({ cwd: '/usr/lib/postgresql', onlyFiles: false }),
  ).catch(() => [])
  const newest = debian.toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0]
  const found =
    process.env.PG_BIN ??
    (newest && join('/usr/lib/postgresql', newest, '..')) ??
    Bun.which('initdb')?.replace(/\/initdb$/, '')
  if (found === undefined) throw new Error(HOW_TO_GET_IT)
  return found
}

async function idOf(flag: '-u' | '-g'): Promise<number> {
  return Number(await run(['id', flag, 'postgres'], '/'))
}
