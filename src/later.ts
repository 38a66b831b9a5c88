import { after, type Bill, currentBill, timeLeft, withDeadline, within } from './waiting'

/** Limit on the wait for the previous run of the same work, whose connection may hang. */
const MAX_GATHERING_MS = 10
/** Callers that join within this time need no time limit of their own. */
const SAME_MOMENT_MS = 100

/** Work that others can still join. */
export type Later<Value> = { join(): Promise<Value> }
type Joined<Value> = {
  readonly bill: Bill | undefined
  readonly endsAt: number
  resolve(value: Value): void
  reject(error: unknown): void
}

/**
 * Runs at the end of this tick (or after `before`), under the longest deadline of its callers. Each caller
 * gives up at its own deadline, and pays a share.
 */
export function later<Value>(
  late: () => Error,
  work: () => Promise<Value>,
  before?: Promise<unknown>,
): Later<Value> {
  const joined: Joined<Value>[] = []

  function begin() {
    const endsAt = Math.max(...joined.map((each) => each.endsAt))
    const callOffs = joined
      .filter((each) => each.endsAt < endsAt - SAME_MOMENT_MS)
      .map((each) => after(each.endsAt - performance.now(), () => each.reject(late())))
    const end = (tell: (each: Joined<Value>) => void) => {
      for (const callOff of callOffs) callOff()
      for (const each of joined) {
        if (each.bill !== undefined) each.bill.databaseMs += bill.databaseMs / joined.length
        tell(each)
      }
    }
    const clients = new Set(joined.map((each) => each.bill?.client))
    // Shared work must not wait until one of its clients has used less than its share.
    const bill: Bill = { client: clients.size === 1 ? joined[0]?.bill?.client : undefined, databaseMs: 0 }
    withDeadline(endsAt - performance.now(), work, bill).then(
      (value) => end((each) => each.resolve(value)),
      (error) => end((each) => each.reject(error)),
    )
  }
  if (before === undefined) setImmediate(begin)
  else within(MAX_GATHERING_MS, before, () => {}).then(begin, begin)
  return {
    join: () =>
      new Promise<Value>((resolve, reject) => {
        const endsAt = performance.now() + timeLeft(Number.POSITIVE_INFINITY)
        joined.push({ bill: currentBill(), endsAt, resolve, reject })
      }),
  }
}
