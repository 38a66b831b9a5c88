import { existsSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { Failure } from '../errors'
import { describeError, type Log } from '../log'
import { type Channel, openChannel, openLocalChannel } from './channel'
import { connect, type Database, type DatabaseTarget } from './client'

export type DatabaseConfig =
  | { readonly kind: 'postgres'; readonly url: string; readonly poolMax: number; readonly waitMs: number }
  | { readonly kind: 'embedded'; readonly dataDir: string; readonly poolMax: number; readonly waitMs: number }

export type OpenDatabase = Database & {
  /** Listens for what the database itself announces; see db/channel. */
  openChannel(name: string, handlers: Parameters<typeof openChannel>[2]): Promise<Channel>
}

const RETRY_EVERY_MS = 250

/** The database of the configuration, once it answers; throws when it has not within the time it is given. */
export async function openDatabase(config: DatabaseConfig, log: Log): Promise<OpenDatabase> {
  return config.kind === 'postgres'
    ? openPostgres(config.url, config, log)
    : openEmbeddedDatabase(config, log)
}

async function openPostgres(url: string, config: DatabaseConfig, log: Log): Promise<OpenDatabase> {
  const target: DatabaseTarget = { url }
  const database = connect(target, { poolMax: config.poolMax, log })
  await waitForDatabase(database, config.waitMs, log)
  return { ...database, openChannel: (name, handlers) => openChannel(target, name, handlers, log) }
}

async function waitForDatabase(database: Database, waitMs: number, log: Log) {
  const giveUpAt = performance.now() + waitMs
  for (let attempt = 0; ; attempt++) {
    try {
      await database.db.execute(sql`select 1`)
      return
    } catch (error) {
      const reason = rootCause(error)
      if (performance.now() > giveUpAt || !isWorthWaiting(error)) {
        await database.close()
        throw new Error(`the database can't be reached: ${reasonOf(reason)}`, { cause: reason })
      }
      if (attempt === 0) log.warn('waiting for the database', describeError(reason))
      await Bun.sleep(RETRY_EVERY_MS)
    }
  }
}

/** A database that is away may come back; a wrong password or a missing database stays wrong. */
const isWorthWaiting = (error: unknown) => error instanceof Error && error.cause instanceof Failure

const rootCause = (error: unknown): unknown =>
  error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error

const reasonOf = (error: unknown) =>
  error instanceof Error
    ? 'code' in error
      ? `${error.message} (${error.code})`
      : error.message
    : String(error)

async function openEmbeddedDatabase(
  config: Extract<DatabaseConfig, { kind: 'embedded' }>,
  log: Log,
): Promise<OpenDatabase> {
  // Loaded on demand: with DATABASE_URL set none of its 20 MB is touched.
  const { openEmbedded } = await import('./embedded')
  const embedded = await openEmbedded(config.dataDir, log)
  const database = connect({ socket: embedded.socket }, { poolMax: config.poolMax, log })
  return {
    ...database,
    openChannel: (name, handlers) => openLocalChannel(database, name, handlers),
    async close() {
      await database.close()
      await embedded.close()
    },
  }
}

/**
 * The same for a command of the command line, which finds the embedded database in the hands of a server that runs:
 * then it talks to that one, through the socket in the data directory.
 */
export async function openDatabaseBesideServer(config: DatabaseConfig, log: Log): Promise<Database> {
  if (config.kind === 'postgres') return openDatabase(config, log)
  const { embeddedSocketPath } = await import('./embedded')
  const path = embeddedSocketPath(config.dataDir)
  if (existsSync(path)) {
    const database = connect({ path }, { poolMax: 1, log })
    try {
      await database.db.execute(sql`select 1`)
      return database
    } catch {
      // A socket that a killed server left behind.
      await database.close()
    }
  }
  return openEmbeddedDatabase(config, log)
}
