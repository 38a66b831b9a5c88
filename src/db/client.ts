import type { Duplex } from 'node:stream'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { driverOptions } from '../connection/driver-options'
import { createGate } from '../gate'
import type { Log } from '../log'
import { createDriver } from './driver'
import { databaseUnavailable } from './errors'
import { createOwnDelay } from './own-delay'
import { pinStatement, pooledPins } from './pins'

export type Db = PostgresJsDatabase
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]

/**
 * A PostgreSQL server (perhaps through a pooler in transaction mode), the embedded database, or the embedded
 * database of a running server.
 */
export type DatabaseTarget = { url: string; isPooled?: boolean } | { socket: () => Duplex } | { path: string }

export type Database = {
  readonly db: Db
  /** Resolves once the channel listens; `onListen` is called then and after each lost connection. */
  listen(channel: string, onNotify: (payload: string) => void, onListen?: () => void): Promise<void>
  /** Connections in all and in use, and queries that wait for one. */
  pool(): { size: number; busy: number; waiting: number }
  close(): Promise<void>
}

export type Timeouts = {
  readonly statementMs: number
  readonly lockMs: number
  /** From request to answer, including the wait for a connection or a frozen server. */
  readonly queryMs: number
  /** Silence from a server that owes an answer, after which the connection is closed. */
  readonly silenceMs: number
}

/** For requests, which are all answered within 5 s. */
export const requestTimeouts: Timeouts = {
  statementMs: 3500,
  lockMs: 3000,
  queryMs: 4500,
  silenceMs: 4000,
}
const HOUR_MS = 3_600_000
/** For migrations, commands and the daily purge: no request deadline here. */
export const workTimeouts: Timeouts = {
  statementMs: HOUR_MS,
  lockMs: 60_000,
  queryMs: HOUR_MS,
  silenceMs: HOUR_MS,
}
/** The embedded database has one session and can't cancel a query. */
const embeddedTimeouts: Timeouts = { ...requestTimeouts, queryMs: 60_000 }
const MAX_WAITING_QUERIES = 2000

type ConnectOptions = { readonly poolMax: number; readonly log: Log; readonly timeouts?: Timeouts }

export function connect(target: DatabaseTarget, options: ConnectOptions): Database {
  const { poolMax, timeouts = 'url' in target ? requestTimeouts : embeddedTimeouts } = options
  const client = openClient(target, { ...options, timeouts })
  const gate = createGate({
    concurrency: poolMax,
    ...sharesOf(poolMax),
    maxWaiting: MAX_WAITING_QUERIES,
    maxWaitMs: timeouts.queryMs,
    refusal: () => databaseUnavailable(new Error('no connection became free')),
  })
  const driver = createDriver(client, {
    gate,
    queryMs: timeouts.queryMs,
    namesStatements: !isPooled(target),
    // The embedded database's own work is such a delay.
    ownDelay: 'url' in target ? createOwnDelay() : () => () => 0,
  })
  const db = drizzle(driver)
  return {
    db,
    async listen(channel, onNotify, onListen) {
      await client.listen(channel, onNotify, onListen)
    },
    pool: () => ({ size: poolMax, busy: gate.busy, waiting: gate.waiting }),
    close: () => client.end({ timeout: 5 }),
  }
}

/** Keeps a few connections for reads, however long writes wait for a lock or a standby. */
const forWrites = (size: number) => Math.max(1, size - Math.max(1, Math.ceil(0.3 * size)))

/** One client gets at most half of the pool, so that another one finds a connection free. */
function sharesOf(size: number) {
  const all = Math.min(size, Math.max(2, Math.ceil(size / 2)))
  return { writes: forWrites(size), perClient: { all, writes: forWrites(all) } }
}

const isPooled = (target: DatabaseTarget) => 'url' in target && target.isPooled === true

/** Fields that the types of postgres.js lack: `socket`, and those that our patch adds. */
type Options = postgres.Options<Record<string, never>> & {
  socket?: () => Duplex
  silence_timeout?: number
  /** Runs first on each connection. */
  setup?: string
}

function openClient(
  target: DatabaseTarget,
  { poolMax, log, timeouts }: Required<ConnectOptions>,
): postgres.Sql {
  const common: Options = {
    max: poolMax,
    backoff: () => 0.25,
    connect_timeout: 4,
    // Drizzle converts arrays itself, so the types need not be fetched at every connect.
    fetch_types: false,
    onnotice: (notice: postgres.Notice) => log.debug('database notice', { code: notice.code }),
  }
  if ('url' in target) {
    const limits = isPooled(target) ? pooledLimits(timeouts) : serverLimits(timeouts)
    const { connection, ...place } = driverOptions(target.url)
    const options: Options = {
      ...common,
      ...place,
      ...limits,
      connection: { ...limits.connection, ...connection },
      ...(hasSeveralHosts(target.url) && ofSeveralHosts(target.url)),
    }
    return postgres(options)
  }
  // A new connection waits while another one holds the only session.
  const embedded: Options = {
    ...common,
    setup: pinStatement,
    connect_timeout: timeouts.queryMs / 1000,
    database: 'postgres',
    username: 'postgres',
    password: '',
  }
  return postgres({ ...embedded, ...target })
}

/** Whether a URL names several hosts, such as `postgres://a:5432,b:5432/redlight`. */
export function hasSeveralHosts(url: string): boolean {
  const [authority = ''] = /(?<=^[^/]*\/\/)[^/?#]*/.exec(url) ?? []
  return /,|%2c/i.test(authority.slice(authority.lastIndexOf('@') + 1))
}

const ofSeveralHosts = (url: string): Options => ({
  // Short enough for a request to reach the next host after a silent one.
  connect_timeout: 2,
  // The driver would otherwise stay with the first host that answers.
  ...(!/[?&]target_session_attrs=[^&]/.test(url) && { target_session_attrs: 'primary' }),
})

/** PgBouncer refuses other startup parameters, and a later SET stays with the server's connection. */
const pooledLimits = ({ silenceMs }: Timeouts): Options => ({
  // The driver names its own statements too: a COMMIT that another connection doesn't know becomes a
  // rollback.
  prepare: false,
  silence_timeout: silenceMs / 1000,
  connection: pooledPins,
})

const serverLimits = ({ statementMs, lockMs, silenceMs }: Timeouts): Options => ({
  silence_timeout: silenceMs / 1000,
  setup: pinStatement,
  connection: {
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: 2 * statementMs,
  },
})
