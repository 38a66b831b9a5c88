import { sql } from 'drizzle-orm'
import type { Database } from '../db/client'
import type { Log } from '../log'
import { describeError } from '../log'
import { within } from '../waiting'

const HEARTBEAT_EVERY_MS = 250
/** How far what an instance remembers may lie behind the database. */
const MAX_STALENESS_MS = 1000

export type Channel = {
  /** Whether every message sent more than MAX_STALENESS_MS ago has arrived. */
  isCurrent(): boolean
  close(): Promise<void>
}
type Handlers = { onMessage: (payload: string) => void; onGap: () => void }

/**
 * Listens on a notification channel of a PostgreSQL server. A connection can die without a word, so the channel
 * proves itself: messages arrive in the order in which they were committed, and so the beat that an instance sends
 * to itself vouches, once it is back, for everything sent before it.
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
    // What was sent while nobody listened is lost, and so is what a beat from before would vouch for.
    sentAt.clear()
    currentUntil = 0
    onGap()
    heartbeat()
  }

  // Whatever becomes of it, postgres.js listens again after each lost connection; until then nothing is vouched for.
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

/** The same for the embedded database, whose notifications never leave the process. */
export async function openLocalChannel(
  database: Database,
  name: string,
  { onMessage, onGap }: Handlers,
): Promise<Channel> {
  await database.listen(name, onMessage, onGap)
  return { isCurrent: () => true, close: async () => {} }
}
