import { existsSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import type { DatabaseConfig, EmbeddedConfig, PostgresConfig } from '../config/database'
import {
  connect,
  type Database,
  type DatabaseTarget,
  type Db,
  hasSeveralHosts,
  requestTimeouts,
  type Timeouts,
  workTimeouts,
} from '../db/client'
import { requirePostgres } from '../db/engine'
import { databaseProblem, databaseUnavailable, isWorthWaiting } from '../db/errors'
import { endReadOnlySession, ping, whyReadOnly } from '../db/writable'
import type { Log } from '../log'
import { pause, withDeadline } from '../waiting'
import { type Channel, openChannel, openLocalChannel } from './channel'
import { keepUp } from './keep-up'
import { requireOpenFiles } from './open-files'
import { checkPooledSettings } from './pooler'
import type { CommandDatabase } from './use'

export type OpenDatabase = Database & {
  /** A separate connection that requests can't occupy. */
  readonly probeDb: Db
  /** Records the URL of the service, for a process that finds the embedded database in use. */
  servesAt(url: string): void
  /** Resolves if the embedded database can't go on until it is opened again. */
  readonly failed: Promise<Error>
  /** Listens for the database's notifications; see channel.ts. */
  openChannel(name: string, handlers: Parameters<typeof openChannel>[2]): Promise<Channel>
  /** Work without a request deadline, repeated if the database goes away during startup. */
  withoutTimeouts<T>(work: (db: Db) => Promise<T>): Promise<T>
}

const RETRY_EVERY_MS = 250
const ATTEMPT_MS = 4500

/** Opens the configured database once it answers; throws when it doesn't in time. */
export async function openDatabase(config: DatabaseConfig, log: Log): Promise<OpenDatabase> {
  return config.kind === 'postgres'
    ? openPostgres(config, log, requestTimeouts, true)
    : openEmbeddedDatabase(config, log)
}

async function openPostgres(
  { url, directUrl, poolMax, waitMs }: PostgresConfig,
  log: Log,
  timeouts: Timeouts,
  isToWrite = false,
): Promise<OpenDatabase> {
  requireOpenFiles()
  const target: DatabaseTarget = { url, isPooled: directUrl !== undefined }
  const direct: DatabaseTarget = { url: directUrl ?? url }
  const giveUpAt = performance.now() + waitMs
  const database = connect(target, { poolMax, log, timeouts })
  try {
    await whenThere(() => askFirst(database.db, url), giveUpAt, log)
    if (isToWrite) await untilWritable(database.db, giveUpAt, log)
    if (directUrl !== undefined) await checkPooledSettings(database.db, log)
  } catch (error) {
    // Not awaited: closing a hung connection would delay the error.
    database.close().catch(() => {})
    if (!isWorthWaiting(error)) await recognise(url, log)
    throw error
  }
  const probeDb = connect(target, { poolMax: 1, log })
  // Notifications don't pass a pooler; without one, this connection does both.
  const listener = directUrl === undefined ? probeDb : connect(direct, { poolMax: 1, log })
  return {
    ...database,
    probeDb: probeDb.db,
    servesAt: () => {},
    failed: new Promise(() => {}),
    openChannel: (name, handlers) => openChannel(listener, name, handlers, log),
    withoutTimeouts: (work) => whenThere(() => onItsOwn(direct, log, work), giveUpAt, log),
    async close() {
      await Promise.all([database.close(), probeDb.close(), listener.close()])
    },
  }
}

async function askFirst(db: Db, url: string): Promise<void> {
  try {
    await withDeadline(ATTEMPT_MS, () => ping(db))
  } catch (error) {
    // The driver tries each host, and doesn't report what it found.
    if (!hasSeveralHosts(url) || !isWorthWaiting(error)) throw error
    throw databaseUnavailable(new Error('none of the hosts in DATABASE_URL answers as a primary'))
  }
}

/** Waits for a primary; if none comes in time, reads are still served. */
async function untilWritable(db: Db, giveUpAt: number, log: Log): Promise<void> {
  async function ask() {
    const problem = await withDeadline(ATTEMPT_MS, () => whyReadOnly(db))
    if (problem === undefined) return
    // The next session may reach the primary.
    await endReadOnlySession(db).catch(() => {})
    throw databaseUnavailable(new Error(`${problem}, and a primary is needed for writes`))
  }
  await whenThere(ask, giveUpAt, log).catch((error) => {
    if (!isWorthWaiting(error)) throw error
    log.warn('no primary came in time: only reads are served', { problem: databaseProblem(error) })
  })
}

/** Another engine may refuse our connection settings with an unrelated error. */
async function recognise(url: string, log: Log) {
  // Opened as through a pooler, which skips those settings.
  const database = connect({ url, isPooled: true }, { poolMax: 1, log })
  const [row] = await withDeadline(ATTEMPT_MS, () =>
    database.db.execute<{ version: string }>(sql`select version()`),
  ).catch(() => [])
  database.close().catch(() => {})
  if (row !== undefined) requirePostgres(row.version)
}

async function onItsOwn<T>(target: DatabaseTarget, log: Log, work: (db: Db) => Promise<T>): Promise<T> {
  const database = connect(target, { poolMax: 1, log, timeouts: workTimeouts })
  try {
    return await work(database.db)
  } finally {
    await database.close()
  }
}

/** Retries until the deadline, or an error that a retry can't fix. */
async function whenThere<T>(work: () => Promise<T>, giveUpAt: number, log: Log): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (performance.now() > giveUpAt || !isWorthWaiting(error)) throw error
      if (attempt === 0) log.warn('waiting for the database', { problem: databaseProblem(error) })
      await pause(RETRY_EVERY_MS)
    }
  }
}

async function openEmbeddedDatabase(
  config: EmbeddedConfig,
  log: Log,
  timeouts?: Timeouts,
): Promise<OpenDatabase> {
  requireOpenFiles()
  // Loaded on demand: with DATABASE_URL set, none of its 20 MB is read.
  const { openEmbedded } = await import('../embedded/embedded')
  const embedded = await openEmbedded(config.dataDir)
  const stopKeepingUp = keepUp(embedded.socket, log)
  const database = connect({ socket: embedded.socket }, { poolMax: config.poolMax, log, timeouts })
  return {
    ...database,
    probeDb: database.db,
    servesAt: embedded.servesAt,
    failed: embedded.failed,
    openChannel: (name, handlers) => openLocalChannel(database, name, handlers),
    withoutTimeouts: (work) => onItsOwn({ socket: embedded.socket }, log, work),
    async close() {
      await stopKeepingUp()
      await database.close()
      await embedded.close()
    },
  }
}

/**
 * For a command: when a running server holds the embedded database, the command uses it through the socket in
 * the data folder.
 */
export async function openDatabaseBesideServer(config: DatabaseConfig, log: Log): Promise<CommandDatabase> {
  if (config.kind === 'postgres') {
    const { directUrl, ...others } = config
    return openPostgres({ ...others, poolMax: 1, url: directUrl ?? config.url }, log, workTimeouts)
  }
  const { embeddedSocketPath } = await import('../embedded/embedded')
  const path = embeddedSocketPath(config.dataDir)
  if (existsSync(path)) {
    const database = connect({ path }, { poolMax: 1, log, timeouts: workTimeouts })
    try {
      await database.db.execute(sql`select 1`)
      return database
    } catch {
      // A killed server left its socket behind.
      await database.close()
    }
  }
  return openEmbeddedDatabase(config, log, workTimeouts)
}

/** For work that no server may see: one connection, and sole use of the data folder. */
export async function openDatabaseAlone(config: DatabaseConfig, log: Log): Promise<CommandDatabase> {
  return config.kind === 'postgres'
    ? openDatabaseBesideServer(config, log)
    : openEmbeddedDatabase({ ...config, poolMax: 1 }, log, workTimeouts)
}
