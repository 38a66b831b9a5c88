import { AsyncLocalStorage } from 'node:async_hooks'

// A request may wait several times: for its user, for the movie, for a password. Their sum has to end in time, so the
// moment travels with the request instead of each wait having a limit of its own.
const deadlines = new AsyncLocalStorage<{ at: number } | undefined>()

/** Runs the work of a request, all of whose waits together are to end within so many milliseconds. */
export const withDeadline = <T>(milliseconds: number, work: () => T): T =>
  deadlines.run({ at: performance.now() + milliseconds }, work)

/** How long a wait may take: `limitMs`, or what is left to the request. */
export function timeLeft(limitMs: number): number {
  const deadline = deadlines.getStore()
  return deadline === undefined ? limitMs : Math.max(0, Math.min(limitMs, deadline.at - performance.now()))
}

/** Waiting for the client, such as for its body, does not count against the request's deadline. */
export async function withoutDeadline<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const deadline = deadlines.getStore()
  try {
    return await deadlines.run(undefined, work)
  } finally {
    if (deadline !== undefined) deadline.at += performance.now() - startedAt
  }
}

const OWN_DELAY_MS = 10

/** Calls `work` after so many milliseconds; returns the way to call it off. */
export function after(milliseconds: number, work: () => void): () => void {
  const timer = setTimeout(work, milliseconds)
  return () => clearTimeout(timer)
}

/** For pacing work that is tried again or done in steps; a wait for an event is `within`. */
export const pause = (milliseconds: number): Promise<void> => Bun.sleep(milliseconds)

/**
 * What `work` results in, or what `late` returns or throws when that takes longer than `limitMs` or than is left to the
 * request. A timer that is late itself shows that this process had no time, so `work` then gets as long again, once.
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

/** Runs `concurrency` jobs, lets `maxWaiting` more wait up to `maxWaitMs`, and refuses the rest. */
export type Gate = {
  /** Resolves with the way out, which must be called once the work is over; rejects with `refusal()`. */
  enter(): Promise<() => void>
  run<T>(work: () => Promise<T>): Promise<T>
  /** How many run, and how many wait. */
  readonly busy: number
  readonly waiting: number
}
export type GateLimits = { concurrency: number; maxWaiting: number; maxWaitMs: number; refusal: () => Error }

export function createGate({ concurrency, maxWaiting, maxWaitMs, refusal }: GateLimits): Gate {
  let busy = 0
  const queue = new Set<() => void>()

  function leave() {
    const [next] = queue
    if (next === undefined) busy--
    else {
      queue.delete(next)
      next()
    }
  }

  function once(leave: () => void) {
    let isGone = false
    return () => {
      if (!isGone) leave()
      isGone = true
    }
  }

  function enter(): Promise<() => void> {
    if (busy < concurrency) {
      busy++
      return Promise.resolve(once(leave))
    }
    const milliseconds = timeLeft(maxWaitMs)
    if (queue.size >= maxWaiting || milliseconds === 0) return Promise.reject(refusal())
    return new Promise((resolve, reject) => {
      const admit = () => {
        callOff()
        resolve(once(leave))
      }
      const callOff = after(milliseconds, () => {
        queue.delete(admit)
        reject(refusal())
      })
      queue.add(admit)
    })
  }

  return {
    enter,
    async run(work) {
      const leave = await enter()
      try {
        return await work()
      } finally {
        leave()
      }
    },
    get busy() {
      return busy
    },
    get waiting() {
      return queue.size
    },
  }
}
