import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'
import packageJson from '../package.json'
import { createPasswords } from '../src/access/passwords'
import { type Client, createDrive, type Drive } from './drive'
import { createFloorSchema, insertTokens } from './floor-schema'
import { copyMovies, loadMovies, type Progress } from './load-movies'
import { type Cluster, startCluster } from './postgres'
import { run } from './processes'
import { type Sample, sampleMovies } from './requests'
import { floor, launch, redlight, type Server } from './servers'
import { insertFavourites, insertUsers, PASSWORD, signIn } from './users'

export type Options = {
  rows: number
  rounds: number
  seconds: number
  client: Client
  /** Undefined: built first. */
  executable: string | undefined
  /** An earlier executable, to compare this one with. */
  before: string | undefined
}
/** Everything a row needs to measure. */
export type Workplace = Omit<Options, 'executable' | 'before'> & {
  readonly postgresVersion: string
  readonly progress: Progress
  readonly drive: Drive
  readonly sample: Sample
  /** Redlight's database. */
  readonly sql: postgres.Sql
  readonly passwordHash: string
  readonly redlight: Server
  readonly floor: Server
  /** Another Redlight with a tenth of the movies. */
  tenth(): Promise<Server>
  /** The earlier executable, on the same database. */
  earlier(): Promise<Server>
  /** Another server on the same database; the caller stops it. */
  freshRedlight(): Promise<Server & { startedMs: number }>
  freshFloor(): Promise<Server & { startedMs: number }>
  readonly folder: string
  readonly cluster: Cluster
  readonly executable: string
  /** The environment of a command on this database. */
  env(database: string): Record<string, string | undefined>
  /** Redlight with its default limits, which trusts the client addresses that the bench sends. */
  limitedRedlight(): Promise<Server>
}

const TENTH = 0.1
/** The output of the script "build" in package.json. */
const BUILT_FILE = 'bin/redlight'

/** Sets everything up; the stack undoes it. */
export async function openWorkplace(
  { executable: given, before, ...options }: Options,
  progress: Progress,
  opened: AsyncDisposableStack,
): Promise<Workplace> {
  const { folder, logs } = await createFolder(opened)

  const executable = given ?? (await build(folder, progress))
  progress('starting PostgreSQL')
  const cluster = await startCluster(folder, opened)
  const admin = open(cluster.connect('postgres'), opened)
  const passwordHash = await createPasswords().hash(PASSWORD)
  const site = { cluster, admin, passwordHash, folder, progress, opened }
  const jwtSecret = crypto.randomUUID() + crypto.randomUUID()
  const redlightOn = (database: string, file = executable) =>
    redlight(file, cluster.url(database), jwtSecret, logs)

  const sql = await createCatalogue(site, redlightOn('redlight'), 'redlight', options.rows)
  const floorTokens = await createFloor(site, sql)

  progress('starting the servers')
  const tokens: string[] = []
  const freshRedlight = () => launch(redlightOn('redlight'), tokens)
  const limits = { LIMITER_ENABLED: 'true', TRUSTED_PROXIES: '127.0.0.1' }
  const limitedRedlight = () => {
    const order = redlightOn('redlight')
    return launch({ ...order, env: { ...order.env, ...limits } }, tokens)
  }
  const freshFloor = () => launch(floor(cluster.url('floor'), logs), floorTokens)
  const servers = [await freshRedlight(), await freshFloor()] as const
  for (const server of servers) opened.defer(server.stop)
  // All instances of Redlight share a secret, so each accepts a token.
  tokens.push(...(await signIn(servers[0].port)))

  let earlier: Promise<Server> | undefined
  async function startEarlier(): Promise<Server> {
    const server = await launch({ ...redlightOn('redlight', before), label: 'redlight before' }, tokens)
    opened.defer(server.stop)
    return server
  }
  let tenth: Promise<Server> | undefined
  async function startTenth(): Promise<Server> {
    const order = redlightOn('tenth')
    await createCatalogue(site, order, 'tenth', Math.max(1, Math.round(options.rows * TENTH)))
    const server = await launch({ ...order, label: 'redlight on a tenth' }, tokens)
    opened.defer(server.stop)
    return server
  }
  return {
    ...options,
    postgresVersion: cluster.version,
    progress,
    drive: createDrive(folder, options.client),
    sample: await sampleMovies(sql, options.rows),
    sql,
    passwordHash,
    redlight: servers[0],
    floor: servers[1],
    tenth: () => (tenth ??= startTenth()),
    earlier: () => (earlier ??= startEarlier()),
    freshRedlight,
    freshFloor,
    limitedRedlight,
    folder,
    cluster,
    executable,
    env: (database) => ({ ...redlightOn(database).env, PATH: process.env.PATH }),
  }
}

async function createFolder(opened: AsyncDisposableStack) {
  const folder = await mkdtemp(join(tmpdir(), 'redlight-bench-'))
  opened.defer(() => remove(folder))
  // PostgreSQL runs as another user, who must reach its data here.
  await run(['chmod', '755', folder], '/')
  const logs = join(folder, 'logs')
  await mkdir(logs)
  return { folder, logs }
}

type Site = {
  cluster: Awaited<ReturnType<typeof startCluster>>
  admin: postgres.Sql
  passwordHash: string
  folder: string
  progress: Progress
  opened: AsyncDisposableStack
}

async function createCatalogue(
  { cluster, admin, passwordHash, folder, progress, opened }: Site,
  { command: [executable = ''], env }: ReturnType<typeof redlight>,
  database: string,
  rows: number,
): Promise<postgres.Sql> {
  await admin.unsafe(`create database ${database}`)
  await run([executable, 'migrate'], folder, { ...env, PATH: process.env.PATH })
  const sql = open(cluster.connect(database), opened)
  await insertUsers(sql, passwordHash)
  await loadMovies(sql, rows, (what) => progress(`loading ${database}: ${what}`))
  await insertFavourites(sql, rows)
  return sql
}

/** Copies the movies to the floor's database; returns the floor's tokens. */
async function createFloor({ cluster, admin, progress, opened }: Site, movies: postgres.Sql) {
  await admin`create database floor`
  const sql = open(cluster.connect('floor'), opened)
  await createFloorSchema(sql)
  await copyMovies(movies, sql, progress)
  return insertTokens(sql)
}

/** After an interrupted start, PostgreSQL may still write for a moment. */
async function remove(folder: string, tries = 20): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (tries === 0) throw error
    await Bun.sleep(100)
    await remove(folder, tries - 1)
  }
}

function open(sql: postgres.Sql, opened: AsyncDisposableStack): postgres.Sql {
  opened.defer(() => sql.end({ timeout: 1 }))
  return sql
}

/** Builds as `bun run build` does, but into the temporary folder. */
async function build(folder: string, progress: Progress): Promise<string> {
  progress('building the executable')
  const executable = join(folder, 'redlight')
  const command = packageJson.scripts.build.replace(BUILT_FILE, executable)
  if (!command.includes(executable)) throw new Error(`the build script does not write ${BUILT_FILE}`)
  await run(['sh', '-c', command], join(import.meta.dir, '..'))
  return executable
}
