import { sql } from 'drizzle-orm'
import type { Database } from '../db/client'
import type { Log } from '../log'
import { describeError } from '../log'
import { within } from '../waiting'

const HEARTBEAT_EVERY_MS = 250
/** Limit on how old an instance's cached data may be: a second, less what a request takes that is judged by it. */
const MAX_STALENESS_MS = 900

export type Channel = {
  /** Whether all messages older than MAX_STALENESS_MS have arrived. */
  isCurrent(): boolean
  close(): Promise<void>
}
type Handlers = { onMessage: (payload: string) => void; onGap: () => void }

/**
 * Listens on a notification channel of a PostgreSQL server. A connection can die silently, so an instance
 * sends itself heartbeats: messages arrive in commit order, so a heartbeat that arrives proves that
 * everything sent before it has arrived too.
 */
export async function openChannel(
  connection: Database,
  name: string,
  { onMessage, onGap }: Handlers,
  log: Log,
): Promise<Channel> {
  const own = `heartbeat ${crypto.randomUUID()} `
  const sentAt = new Map<string, number>()
  let currentUntil = 0
  let heartbeats = 0

  function receive(payload: string) {
    if (!payload.startsWith('heartbeat ')) return onMessage(payload)
    const sent = sentAt.get(payload)
    if (sent === undefined) return
    sentAt.delete(payload)
    currentUntil = Math.max(currentUntil, sent + MAX_STALENESS_MS)
  }

  function heartbeat() {
    const payload = own + heartbeats++
    const now = performance.now()
    sentAt.set(payload, now)
    for (const [old, sent] of sentAt) if (now - sent > MAX_STALENESS_MS) sentAt.delete(old)
    connection.db
      .execute(sql`select pg_notify(${name}, ${payload})`)
      .catch((error) => log.debug('notification heartbeat failed', describeError(error)))
  }

  function restart() {
    // Messages sent while nobody listened are lost, so heartbeats from before prove nothing.
    sentAt.clear()
    currentUntil = 0
    onGap()
    heartbeat()
  }

  // postgres.js listens again after each lost connection; until then isCurrent is false.
  const listening = connection.listen(name, receive, restart).catch(() => {})
  await within(MAX_STALENESS_MS, listening, () => {})
  const timer = setInterval(heartbeat, HEARTBEAT_EVERY_MS)
  return {
    isCurrent: () => performance.now() < currentUntil,
    async close() {
      clearInterval(timer)
      currentUntil = 0
    },
  }
}

/** The same for the embedded database, whose notifications stay within the process. */
export async function openLocalChannel(
  database: Database,
  name: string,
  { onMessage, onGap }: Handlers,
): Promise<Channel> {
  await database.listen(name, onMessage, onGap)
  return { isCurrent: () => true, close: async () => {} }
}
