import { monitorEventLoopDelay } from 'node:perf_hooks'
import { timestampJson } from '../rules/fields'

export const EVERY_SECONDS = 10
const MAX_POINTS = 3600 / EVERY_SECONDS
const LAG_RESOLUTION_MS = 20

const classes = ['2xx', '3xx', '4xx', '5xx'] as const
type StatusClass = (typeof classes)[number]
const RATE_LIMITED = 429

/** What happened in ten seconds. Null is unknown, or no request to measure. */
export type Point = {
  readonly at: string
  readonly requests: Readonly<Record<StatusClass, number>>
  readonly p50_ms: number | null
  readonly p99_ms: number | null
  readonly event_loop_lag_ms: number
  readonly memory_mb: number
  readonly database: { readonly busy: number; readonly waiting: number }
  readonly mails_waiting: number | null
  readonly limited: number
}

type Sources = {
  readonly pool: () => { busy: number; waiting: number }
  readonly mails: () => Promise<{ waiting: number }>
  readonly date: () => number
  readonly everyMs?: number | undefined
}
export type LastHour = ReturnType<typeof startLastHour>

/** Keeps a point for every ten seconds of the last hour: 360 small objects. */
export function startLastHour({ pool, mails, date, everyMs = EVERY_SECONDS * 1000 }: Sources) {
  const points: Point[] = []
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  let current = countAnew()

  async function gather() {
    const { requests, limited, durations } = current
    current = countAnew()
    const lagMs = lag.percentile(99) / 1e6
    lag.reset()
    const { busy, waiting } = pool()
    const at = timestampJson(new Date(date()))
    const { waiting: mailsWaiting } = await mails()
    points.push({
      at,
      requests,
      p50_ms: durations.percentileMs(0.5),
      p99_ms: durations.percentileMs(0.99),
      event_loop_lag_ms: rounded(lagMs),
      memory_mb: rounded(process.memoryUsage.rss() / 1e6),
      database: { busy, waiting },
      mails_waiting: Number.isNaN(mailsWaiting) ? null : mailsWaiting,
      limited,
    })
    if (points.length > MAX_POINTS) points.shift()
  }
  const timer = setInterval(gather, everyMs)

  return {
    requestEnded(status: number, seconds: number) {
      const name = classes[Math.floor(status / 100) - 2]
      if (name !== undefined) current.requests[name]++
      if (status === RATE_LIMITED) current.limited++
      current.durations.add(seconds)
    },
    /** Oldest first; those after a time, if it is given. */
    points: (since?: Date): readonly Point[] =>
      since === undefined ? points : points.filter(({ at }) => at > timestampJson(since)),
    stop() {
      clearInterval(timer)
      lag.disable()
    },
  }
}

const countAnew = () => ({
  requests: { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 },
  limited: 0,
  durations: createDurations(),
})

/** 10 µs to two minutes, in steps of a tenth: a percentile is at most 5 % off. */
const SHORTEST_SECONDS = 0.00001
const STEP = 1.1
const BUCKETS = 172

function createDurations() {
  const buckets = new Uint32Array(BUCKETS)
  let count = 0
  return {
    add(seconds: number) {
      const bucket = Math.floor(Math.log(Math.max(1, seconds / SHORTEST_SECONDS)) / Math.log(STEP))
      const index = Math.min(BUCKETS - 1, bucket)
      buckets[index] = (buckets[index] ?? 0) + 1
      count++
    },
    percentileMs(share: number): number | null {
      if (count === 0) return null
      let index = 0
      for (let seen = buckets[0] ?? 0; seen < count * share; seen += buckets[index] ?? 0) index++
      return rounded(SHORTEST_SECONDS * STEP ** (index + 0.5) * 1000)
    },
  }
}

const rounded = (value: number) => Math.round(value * 100) / 100
