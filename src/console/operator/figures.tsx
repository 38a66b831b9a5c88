import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call } from '../api'
import { Heading } from '../heading'
import { whenReached } from '../offline'
import { Failed, Loading } from '../states'
import { Plot } from './plot'
import { PointTable } from './point-table'
import { Routes, readRoutes } from './routes-table'

export type Point = {
  at: string
  requests: Record<'2xx' | '3xx' | '4xx' | '5xx', number>
  p50_ms: number | null
  p99_ms: number | null
  memory_mb: number
  database: { busy: number; waiting: number }
  mails_waiting: number | null
}
type Answer = { every_seconds: number; instance: string; points: Point[] }

/** One hour. */
const KEPT = 360

const figures = signal<Answer | undefined>(undefined)
const problem = signal<unknown>(undefined)

/** Reads the last hour at first, then the newer points. */
async function read() {
  const before = figures.peek()
  const last = before?.points.at(-1)?.at
  try {
    const since = last === undefined ? '' : `?since=${encodeURIComponent(last)}`
    const [answer] = await Promise.all([call<Answer>('GET', `/v1/admin/figures${since}`), readRoutes()])
    // Behind a load balancer, another instance with its own figures may answer.
    const isSame = before !== undefined && before.instance === answer.instance
    const newer = answer.points.filter(({ at }) => last === undefined || at > last)
    if (before !== undefined && !isSame) figures.value = await call<Answer>('GET', '/v1/admin/figures')
    else figures.value = { ...answer, points: [...(before?.points ?? []), ...newer].slice(-KEPT) }
    problem.value = undefined
  } catch (error) {
    problem.value = error
  }
}

/** Polls while the page is open and its tab is visible. */
function useFigures() {
  const everySeconds = figures.value?.every_seconds ?? 10
  useEffect(() => {
    read()
    const seen = () => document.hidden || read()
    document.addEventListener('visibilitychange', seen)
    const timer = setInterval(seen, everySeconds * 1000)
    const stop = whenReached(read)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      clearInterval(timer)
      stop()
    }
  }, [everySeconds])
}

export function Figures() {
  useFigures()
  const answer = figures.value
  if (answer === undefined)
    return (
      <>
        <Heading title="Figures" />
        {problem.value ? <Failed error={problem.value} retry={read} /> : <Loading what="the figures" />}
      </>
    )
  return (
    <>
      <div class="head">
        <Heading title="Figures" />
        <p class="count">
          {answer.points.length > 0
            ? `The last hour of ${answer.instance}`
            : `The first figures of ${answer.instance} arrive in ${answer.every_seconds} seconds`}
        </p>
      </div>
      {problem.value ? <Failed error={problem.value} retry={read} /> : null}
      <Plots points={answer.points} every={answer.every_seconds} />
      <PointTable points={answer.points} every={answer.every_seconds} />
      <Routes />
    </>
  )
}

const sum = ({ requests }: Point) => requests['2xx'] + requests['3xx'] + requests['4xx'] + requests['5xx']

function Plots({ points, every }: { points: readonly Point[]; every: number }) {
  const times = points.map(({ at }) => at)
  const of = (value: (point: Point) => number | null) => points.map(value)
  return (
    <div class="plots">
      <Plot
        title="Requests"
        unit="a second"
        tone="a"
        times={times}
        lines={[{ values: of((p) => sum(p) / every) }]}
      />
      <Plot
        title="Latency"
        unit="ms"
        tone="b"
        times={times}
        lines={[
          { name: 'p50', values: of((p) => p.p50_ms) },
          { name: 'p99', values: of((p) => p.p99_ms) },
        ]}
      />
      <Plot
        title="Errors"
        unit="a second"
        tone="r"
        times={times}
        lines={[{ values: of((p) => p.requests['5xx'] / every) }]}
      />
      <Plot title="Memory" unit="MB" tone="c" times={times} lines={[{ values: of((p) => p.memory_mb) }]} />
      <Plot
        title="Database"
        unit="connections"
        tone="d"
        times={times}
        lines={[
          { name: 'busy', values: of((p) => p.database.busy) },
          { name: 'waiting', values: of((p) => p.database.waiting) },
        ]}
      />
      <Plot
        title="Mails"
        unit="waiting"
        tone="e"
        times={times}
        lines={[{ values: of((p) => p.mails_waiting) }]}
      />
    </div>
  )
}
