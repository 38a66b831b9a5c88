import { AsyncLocalStorage } from 'node:async_hooks'

/** Cost of a request so far, and the client that pays. Waiting requests are served in turn by client. */
export type Bill = { client: string | undefined; databaseMs: number }

// A request waits several times (user, movie, password), so its deadline and bill travel with it.
const errands = new AsyncLocalStorage<{ at: number; readonly bill: Bill | undefined }>()

/** The current request's bill; undefined for the service's own work. */
export const currentBill = (): Bill | undefined => errands.getStore()?.bill

/** Runs a request's work; all its waits together end within this time. */
export const withDeadline = <T>(milliseconds: number, work: () => T, bill = currentBill()): T =>
  errands.run({ at: performance.now() + milliseconds, bill }, work)

/** Limit on a wait: `limitMs`, or what is left to the request. */
export function timeLeft(limitMs: number): number {
  const errand = errands.getStore()
  return errand === undefined ? limitMs : Math.max(0, Math.min(limitMs, errand.at - performance.now()))
}

/** Waiting for the client's body does not count against the request's deadline. */
export async function withoutDeadline<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const errand = errands.getStore()
  try {
    return await withDeadline(Number.POSITIVE_INFINITY, work)
  } finally {
    if (errand !== undefined) errand.at += performance.now() - startedAt
  }
}

const OWN_DELAY_MS = 10

/** Calls `work` after this time; returns a function that cancels it. */
export function after(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds)
  return () => clearTimeout(timer)
}

/** Paces retries and steps; to wait for an event, use `within`. */
export const pause = (milliseconds: number): Promise<void> => Bun.sleep(milliseconds)

/**
 * The result of `work`, or of `late` when the request's deadline or `limitMs` passes first. If this timer is
 * late, our own loop was busy, so `work` gets the same time once more.
 */
export async function within<T>(limitMs: number, work: PromiseLike<T>, late: () => T): Promise<T> {
  const milliseconds = timeLeft(limitMs)
  const tooLate = Promise.withResolvers<typeof LATE>()
  const endsAt = performance.now() + milliseconds
  let callOff = after(milliseconds, () => {
    const isOwnFault = performance.now() - endsAt > OWN_DELAY_MS
    callOff = after(isOwnFault ? milliseconds : 0, () => tooLate.resolve(LATE))
  })
  try {
    const result = await Promise.race([work, tooLate.promise])
    return result === LATE ? late() : result
  } finally {
    callOff()
  }
}
const LATE = Symbol('late')
