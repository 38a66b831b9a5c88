import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'

/** Position in the write-ahead log, in bytes. */
type Position = bigint
export type Answer = { position: Position; identity: string; standby: boolean }

const identity = sql`(select system_identifier from pg_control_system()) || ' ' ||
  (select oid from pg_database where datname = current_database())`

async function ask(db: Db, position: ReturnType<typeof sql>): Promise<Answer> {
  const [row] = await db.execute<{ position: string; identity: string; standby: boolean }>(
    sql`select pg_wal_lsn_diff(${position}, '0/0')::text as position, ${identity} as identity,
      pg_is_in_recovery() as standby`,
  )
  if (row === undefined) throw new Error('the database returned nothing')
  return { ...row, position: BigInt(row.position) }
}

/** The primary's flushed log position; replicas never get more. */
export const askPrimary = (db: Db) => ask(db, sql`pg_current_wal_flush_lsn()`)
export const askReplica = (db: Db) => ask(db, sql`coalesce(pg_last_wal_replay_lsn(), '0/0')`)

/** What a server's log had reached at that moment, or later. */
export type Sample = { readonly at: number; readonly position: Position }
export type PrimaryLog = ReturnType<typeof createPrimaryLog>

/**
 * Records the primary's log position over time. A replica that has replayed up to a position has everything
 * committed before its moment: no clocks are compared, and an idle primary causes no lag.
 */
export function createPrimaryLog(keepMs: number) {
  let samples: Sample[] = []
  let identity: string | undefined

  return {
    /** `at` is from before the primary was asked. */
    record(at: number, answer: Answer) {
      const last = samples.at(-1)
      // A different server has this address now, so earlier samples are invalid.
      if (answer.identity !== identity || (last !== undefined && answer.position < last.position))
        samples = []
      identity = answer.identity
      samples.push({ at, position: answer.position })
      while (at - (samples[0]?.at ?? at) > keepMs) samples.shift()
    },
    /** The moment up to which the replica has everything; undefined if that is too long ago. */
    knownBy: (replayed: Position): number | undefined =>
      samples.findLast(({ position }) => position <= replayed)?.at,
    /**
     * Whether the replica is ahead of the primary, which only a replica of another primary can be; undefined while the primary
     * hasn't answered since that was replayed.
     */
    isAhead({ position, at }: Sample): boolean | undefined {
      const last = samples.at(-1)
      return last === undefined || last.at < at ? undefined : position > last.position
    },
    isOf: (other: string) => other === identity,
  }
}
