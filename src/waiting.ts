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

/** Runs `concurrency` jobs, lets `maxWaiting` more wait up to `maxWaitMs`, and refuses the rest. */
export type Gate = {
  /** Resolves with a function to leave, which returns the number of other jobs; rejects with `refusal()`. */
  enter(kind?: Kind): Promise<() => number>
  run<T>(work: () => Promise<T>, kind?: Kind): Promise<T>
  /** Jobs that run, and jobs that wait. */
  readonly busy: number
  readonly waiting: number
}
type Kind = 'read' | 'write'
export type GateLimits = {
  concurrency: number
  maxWaiting: number
  maxWaitMs: number
  refusal: () => Error
  /** Limits on all writes, and on one client; by default the concurrency. */
  writes?: number
  perClient?: { all: number; writes: number }
}

type Lane = { busy: number; writing: number; readonly read: Set<Waiting>; readonly write: Set<Waiting> }
type Waiting = { readonly since: number; admit(): void }
/** Each client's running and waiting jobs; undefined is the service itself, which has no share limit. */
function createLanes({ concurrency, writes = concurrency, perClient }: GateLimits) {
  const share = perClient ?? { all: concurrency, writes }
  const lanes = new Map<string | undefined, Lane>()
  let busy = 0
  let writing = 0

  function isFree(client: string | undefined, lane: Lane, kind: Kind): boolean {
    if (busy >= concurrency || (kind === 'write' && writing >= writes)) return false
    if (client === undefined) return true
    return lane.busy < share.all && (kind === 'read' || lane.writing < share.writes)
  }

  return {
    isFree,
    busy: () => busy,
    of(client: string | undefined): Lane {
      const lane = lanes.get(client) ?? { busy: 0, writing: 0, read: new Set(), write: new Set() }
      lanes.set(client, lane)
      return lane
    },
    count(lane: Lane, kind: Kind, by: 1 | -1) {
      busy += by
      lane.busy += by
      if (kind === 'read') return
      writing += by
      lane.writing += by
    },
    forgetIdle(client: string | undefined, lane: Lane) {
      if (lane.busy + lane.read.size + lane.write.size === 0) lanes.delete(client)
    },
    /** The next job that may start. */
    next(): Waiting | undefined {
      for (const [client, lane] of lanes) {
        const [first] = (['read', 'write'] as const)
          .filter((kind) => lane[kind].size > 0 && isFree(client, lane, kind))
          .flatMap((kind) => [...lane[kind].values().take(1)])
          .sort((a, b) => a.since - b.since)
        if (first === undefined) continue
        lanes.delete(client)
        lanes.set(client, lane)
        return first
      }
    },
  }
}

/** Serves waiting clients in turn, so that none waits behind all requests of another. */
export function createGate(limits: GateLimits): Gate {
  const { maxWaiting, maxWaitMs, refusal } = limits
  const lanes = createLanes(limits)
  let waiting = 0
  let asked = 0

  function begin(client: string | undefined, lane: Lane, kind: Kind): () => number {
    lanes.count(lane, kind, 1)
    let isGone = false
    return () => {
      const others = lanes.busy() - lane.busy
      if (isGone) return others
      isGone = true
      lanes.count(lane, kind, -1)
      if (waiting > 0) lanes.next()?.admit()
      lanes.forgetIdle(client, lane)
      return others
    }
  }

  function enter(kind: Kind = 'read'): Promise<() => number> {
    const client = currentBill()?.client
    const lane = lanes.of(client)
    if (lane[kind].size === 0 && lanes.isFree(client, lane, kind))
      return Promise.resolve(begin(client, lane, kind))
    const milliseconds = timeLeft(maxWaitMs)
    const isLong = limits.perClient && client && lane.read.size + lane.write.size >= maxWaiting / 2
    if (waiting >= maxWaiting || isLong || milliseconds === 0) {
      lanes.forgetIdle(client, lane)
      return Promise.reject(refusal())
    }
    return new Promise((resolve, reject) => {
      const entry = { since: asked++, admit: () => leaveQueue(() => resolve(begin(client, lane, kind))) }
      const callOff = after(milliseconds, () => leaveQueue(() => reject(refusal())))
      lane[kind].add(entry)
      waiting++

      function leaveQueue(then: () => void) {
        callOff()
        lane[kind].delete(entry)
        waiting--
        then()
        lanes.forgetIdle(client, lane)
      }
    })
  }

  return {
    enter,
    async run(work, kind) {
      const leave = await enter(kind)
      try {
        return await work()
      } finally {
        leave()
      }
    },
    get busy() {
      return lanes.busy()
    },
    get waiting() {
      return waiting
    },
  }
}
