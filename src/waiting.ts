import { patienceMs } from './deadline'

/** At most so many at work and so many waiting, each for so long at most; whoever comes on top is refused. */
export type Gate = {
  /** Resolves with the way out, which must be called once the work is over; rejects with `refusal()`. */
  enter(): Promise<() => void>
  run<T>(work: () => Promise<T>): Promise<T>
  /** How many are at work, and how many wait. */
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

  function once(way: () => void) {
    let gone = false
    return () => {
      if (!gone) way()
      gone = true
    }
  }

  function enter(): Promise<() => void> {
    if (busy < concurrency) {
      busy++
      return Promise.resolve(once(leave))
    }
    const patience = patienceMs(maxWaitMs)
    if (queue.size >= maxWaiting || patience === 0) return Promise.reject(refusal())
    return new Promise((resolve, reject) => {
      const admit = () => {
        clearTimeout(timer)
        resolve(once(leave))
      }
      const timer = setTimeout(() => {
        queue.delete(admit)
        reject(refusal())
      }, patience)
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
