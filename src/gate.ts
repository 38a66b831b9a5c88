import { after, currentBill, timeLeft } from './waiting'

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
  let waiting = 0
  let asked = 0

  function isFree(client: string | undefined, lane: Lane, kind: Kind): boolean {
    if (busy >= concurrency || (kind === 'write' && writing >= writes)) return false
    if (client === undefined) return true
    return lane.busy < share.all && (kind === 'read' || lane.writing < share.writes)
  }

  return {
    isFree,
    busy: () => busy,
    waiting: () => waiting,
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
    join(lane: Lane, kind: Kind, admit: () => void): Waiting {
      const entry = { since: asked++, admit }
      lane[kind].add(entry)
      waiting++
      return entry
    },
    leave(lane: Lane, kind: Kind, entry: Waiting) {
      lane[kind].delete(entry)
      waiting--
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

  function begin(client: string | undefined, lane: Lane, kind: Kind): () => number {
    lanes.count(lane, kind, 1)
    let isGone = false
    return () => {
      const others = lanes.busy() - lane.busy
      if (isGone) return others
      isGone = true
      lanes.count(lane, kind, -1)
      if (lanes.waiting() > 0) lanes.next()?.admit()
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
    if (lanes.waiting() >= maxWaiting || isLong || milliseconds === 0) {
      lanes.forgetIdle(client, lane)
      return Promise.reject(refusal())
    }
    return new Promise((resolve, reject) => {
      const entry = lanes.join(lane, kind, () => leaveQueue(() => resolve(begin(client, lane, kind))))
      const callOff = after(milliseconds, () => leaveQueue(() => reject(refusal())))

      function leaveQueue(then: () => void) {
        callOff()
        lanes.leave(lane, kind, entry)
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
      return lanes.waiting()
    },
  }
}
