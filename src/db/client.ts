import type { Duplex } from 'node:stream'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { createGate } from '../gate'
import type { Log } from '../log'
import { boundClient } from './bounds'
import { databaseUnavailable } from './database-errors'
import { preparing } from './prepared'

export type Db = PostgresJsDatabase
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]

/** A database to talk to: a PostgreSQL server, the embedded one, or the embedded one of a running server. */
export type DatabaseTarget = { url: string } | { socket: () => Duplex } | { path: string }

export type Database = {
  readonly db: Db
  /** Resolves once the channel listens; `onListen` is called then and after each lost connection. */
  listen(channel: string, onNotify: (payload: string) => void, onListen?: () => void): Promise<void>
  /** Connections: how many there may be, how many are busy, how many queries wait for one. */
  pool(): { size: number; busy: number; waiting: number }
  close(): Promise<void>
}

// Together below the 5 s in which every request is answered: the statement and lock limits of the server end a
// query that runs, the deadline one that waits for a connection or whose server is frozen.
const STATEMENT_TIMEOUT_MS = 3500
const LOCK_TIMEOUT_MS = 3000
const QUERY_DEADLINE_MS = 4500
const MAX_WAITING_QUERIES = 2000
/** The embedded database has one session and can't be cancelled; a query there ends by itself. */
const EMBEDDED_DEADLINE_MS = 60_000

export function connect(target: DatabaseTarget, options: { poolMax: number; log: Log }): Database {
  const client = openClient(target, options)
  const deadlineMs = 'url' in target ? QUERY_DEADLINE_MS : EMBEDDED_DEADLINE_MS
  const gate = createGate({
    concurrency: options.poolMax,
    maxWaiting: MAX_WAITING_QUERIES,
    maxWaitMs: deadlineMs,
    refusal: () => databaseUnavailable(new Error('no connection became free')),
  })
  const db = drizzle(boundClient(preparing(client), gate, deadlineMs))
  return {
    db,
    async listen(channel, onNotify, onListen) {
      await client.listen(channel, onNotify, onListen)
    },
    pool: () => ({ size: options.poolMax, busy: gate.busy, waiting: gate.waiting }),
    close: () => client.end({ timeout: 5 }),
  }
}

function openClient(target: DatabaseTarget, { poolMax, log }: { poolMax: number; log: Log }): postgres.Sql {
  const common = {
    max: poolMax,
    backoff: () => 0.25,
    connect_timeout: 4,
    // Drizzle reads and writes arrays itself, so the type catalogue need not be fetched at every connect.
    fetch_types: false,
    onnotice: (notice: postgres.Notice) => log.debug('database notice', { code: notice.code }),
  }
  if ('url' in target)
    return postgres(target.url, {
      ...common,
      connection: {
        application_name: 'redlight',
        statement_timeout: STATEMENT_TIMEOUT_MS,
        lock_timeout: LOCK_TIMEOUT_MS,
        idle_in_transaction_session_timeout: 2 * STATEMENT_TIMEOUT_MS,
      },
    })
  // A new connection waits there while another one holds the only session.
  const embedded = {
    ...common,
    connect_timeout: EMBEDDED_DEADLINE_MS / 1000,
    database: 'postgres',
    username: 'postgres',
    password: '',
  }
  if ('path' in target) return postgres({ ...embedded, path: target.path })
  // The type declarations of postgres.js leave its `socket` option out.
  const withSocket: postgres.Options<Record<string, never>> & { socket: () => Duplex } = {
    ...embedded,
    socket: target.socket,
  }
  return postgres(withSocket)
}
