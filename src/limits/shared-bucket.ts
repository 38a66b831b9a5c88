import { type Bucket, MAX_DEBT_MS, paceOf, type Rate, type Taken, tooMany } from './bucket'

/** Counts shared by several instances. */
export type SharedCounts = {
  isThere(): boolean
  /**
   * Milliseconds that the key has to wait. If it got its turn, the time until its bucket is full, as a
   * negative number. Undefined without an answer.
   */
  take(key: string, intervalMs: number, depthMs: number): Promise<number | undefined>
  /** Lengthens or shortens the time until the bucket is full, up to `mostMs`. */
  add(key: string, milliseconds: number, mostMs: number): Promise<void>
}

/** A bucket that all instances share; while Redis is away, this instance's own. */
export function shareBucket(rate: Rate, own: Bucket, counts: SharedCounts): Bucket {
  const { intervalMs, depthMs } = paceOf(rate)

  async function takeTogether(key: string): Promise<Taken> {
    const shared = `redlight:${rate.name}:${anonymous(key)}`
    const waitMs = await counts.take(shared, intervalMs, depthMs)
    if (waitMs === undefined) return own.take(key)
    if (waitMs > 0) throw tooMany(rate, waitMs)
    const add = (milliseconds: number) => counts.add(shared, milliseconds, depthMs + MAX_DEBT_MS)
    return {
      rate,
      fullInMs: -waitMs,
      takeBack: () => add(-intervalMs),
      charge: (units) => add(units * intervalMs),
    }
  }

  return { take: (key) => (rate.quota === 0 || !counts.isThere() ? own.take(key) : takeTogether(key)) }
}

/** Hides names and addresses from Redis, and limits their length. */
const anonymous = (key: string) => new Bun.CryptoHasher('sha256').update(key).digest('base64url').slice(0, 22)
