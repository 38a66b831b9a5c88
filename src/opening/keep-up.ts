import type { Duplex } from 'node:stream'
import { sql } from 'drizzle-orm'
import { connect } from '../db/client'
import { describeError, type Log } from '../log'

const CHECKPOINT_EVERY_MS = 60_000
const VACUUM_EVERY_MS = 60 * 60_000

/** Does what background processes do on a PostgreSQL server. */
export function keepUp(socket: () => Duplex, log: Log): () => Promise<void> {
  const database = connect({ socket }, { poolMax: 1, log })
  const doneAt = new Map<string, unknown>()
  const run = async (command: string) => {
    try {
      const before = await countWrites()
      if (before === doneAt.get(command)) return
      await database.db.execute(sql.raw(command))
      doneAt.set(command, await countWrites())
      log.debug('embedded database kept up', { command })
    } catch (error) {
      log.warn('embedded database not kept up', { command, ...describeError(error) })
    }
  }
  /** Number of the next transaction that writes. */
  const countWrites = async () => {
    const [row] = await database.db.execute(sql`select pg_snapshot_xmax(pg_current_snapshot())::text as next`)
    return row?.next
  }
  const timers = [
    setInterval(run, CHECKPOINT_EVERY_MS, 'checkpoint'),
    setInterval(run, VACUUM_EVERY_MS, 'vacuum (analyze)'),
  ]
  for (const timer of timers) timer.unref()
  return () => {
    for (const timer of timers) clearInterval(timer)
    return database.close()
  }
}
