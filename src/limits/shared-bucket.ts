import { type Bucket, paceOf, type Rate, refusal, type Taken } from './bucket'

/** A place where several instances count together; see shared-counts. */
export type SharedCounts = {
  isThere(): boolean
  /** How long the key has to wait; 0 when it needn't, and has taken its turn; undefined when there is no answer. */
  take(key: string, intervalMs: number, depthMs: number): Promise<number | undefined>
  takeBack(key: string, intervalMs: number): Promise<void>
}

/** The bucket that all instances share; for as long as it is out of reach, this instance's own. */
export function shareBucket(rate: Rate, own: Bucket, counts: SharedCounts): Bucket {
  const { intervalMs, depthMs } = paceOf(rate)

  async function takeTogether(key: string): Promise<Taken> {
    const shared = `redlight:${rate.name}:${anonymous(key)}`
    const waitMs = await counts.take(shared, intervalMs, depthMs)
    if (waitMs === undefined) return own.take(key)
    if (waitMs > 0) throw refusal(rate, waitMs)
    return { takeBack: () => counts.takeBack(shared, intervalMs) }
  }

  return { take: (key) => (rate.quota === 0 || !counts.isThere() ? own.take(key) : takeTogether(key)) }
}

/** Names, mail addresses and network addresses are nobody's business there, and have no length limit. */
const anonymous = (key: string) => new Bun.CryptoHasher('sha256').update(key).digest('base64url').slice(0, 22)
