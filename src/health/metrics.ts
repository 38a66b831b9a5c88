import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { RequestContext } from '../http/context'
import { atOnce, halfASecondOld } from './figures'
import { type Replicas, registerReplicas, replicaVariables } from './replica-metrics'

export type Gauges = {
  version: string
  pool: () => { size: number; busy: number; waiting: number }
  /** Whether the database accepts writes. */
  isWritable: () => boolean
  passwords: () => { busy: number; waiting: number }
  mails: () => Promise<{ waiting: number; failed: number }>
  /** With Redis: whether it is reachable. */
  limitsAreShared?: (() => boolean) | undefined
  replicas?: Replicas | undefined
}
export type Metrics = ReturnType<typeof createMetrics>

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const LAG_RESOLUTION_MS = 10
const MAX_UNOBSERVED = 250
type Labels = Readonly<Record<'route' | 'method' | 'status', string>>

export function createMetrics(gauges: Gauges) {
  const { version, pool, isWritable, passwords, mails, limitsAreShared, replicas } = gauges
  const startedAt = performance.now()
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  let received = 0
  let sent = 0
  let processingSeconds = 0
  const sentByStatus: Record<string, number> = {}

  const registry = new Registry()
  const durations = new Histogram({
    name: 'redlight_http_request_duration_seconds',
    help: 'Time to answer a request, by route pattern, method and status class.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })
  new Counter({
    name: 'redlight_http_responses_total',
    help: 'Answers sent, by status.',
    labelNames: ['status'] as const,
    registers: [registry],
    collect() {
      this.reset()
      for (const [status, count] of Object.entries(sentByStatus)) this.inc({ status }, count)
    },
  })
  // Bun's delay histogram, unlike Node's, doesn't include the resolution.
  const eventLoopLagMs = () => lag.percentile(99) / 1e6
  /** NaN until the database first answers, so that the other figures don't wait. */
  const countMails = atOnce(mails, { waiting: Number.NaN, failed: Number.NaN })
  const uptimeSeconds = () => (performance.now() - startedAt) / 1000
  new Gauge({
    name: 'redlight_build_info',
    help: 'The version that runs.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1)
  gauge('redlight_uptime_seconds', 'Time since the start.', uptimeSeconds)
  gauge('redlight_http_requests_in_flight', 'Requests received and not yet answered.', () => received - sent)
  gauge(
    'redlight_event_loop_lag_seconds',
    '99th percentile of the delay of the event loop.',
    () => eventLoopLagMs() / 1000,
  )
  gauge('redlight_memory_resident_bytes', 'Memory in use by the process.', () => process.memoryUsage.rss())
  gauge(
    'redlight_memory_heap_bytes',
    'Memory in use by JavaScript objects.',
    () => process.memoryUsage().heapUsed,
  )
  gauge('redlight_database_connections', 'Connections that the pool may open.', () => pool().size)
  gauge('redlight_database_connections_busy', 'Connections at work.', () => pool().busy)
  gauge('redlight_database_queries_waiting', 'Queries that wait for a connection.', () => pool().waiting)
  gauge('redlight_database_writable', '1 while the database accepts writes, otherwise 0.', () =>
    Number(isWritable()),
  )
  gauge('redlight_password_hashes_busy', 'Password hashes being computed.', () => passwords().busy)
  gauge(
    'redlight_password_hashes_waiting',
    'Password hashes that wait their turn.',
    () => passwords().waiting,
  )
  gauge('redlight_mails_waiting', 'Mails waiting to be sent.', async () => (await countMails()).waiting)
  gauge(
    'redlight_mails_failed',
    'Mails given up after the last try.',
    async () => (await countMails()).failed,
  )
  if (limitsAreShared !== undefined)
    gauge(
      'redlight_limits_shared',
      '1 while all instances share their limits, 0 while each counts alone.',
      () => Number(limitsAreShared()),
    )
  if (replicas !== undefined) registerReplicas(registry, replicas)

  // Observed in batches, at a fifth of the cost.
  const unobserved: { labels: Labels; seconds: number }[] = []
  function observeAll() {
    for (const { labels, seconds } of unobserved) durations.observe(labels, seconds)
    unobserved.length = 0
  }

  return {
    requestStarted() {
      received++
    },
    requestEnded({ route = 'none', method }: RequestContext, status: number, seconds: number) {
      sent++
      processingSeconds += seconds
      sentByStatus[status] = (sentByStatus[status] ?? 0) + 1
      const labels = { route, method: knownMethod(method), status: `${Math.floor(status / 100)}xx` }
      if (unobserved.push({ labels, seconds }) === MAX_UNOBSERVED) observeAll()
    },
    prometheus: halfASecondOld(async () => {
      observeAll()
      return { type: registry.contentType, text: await registry.metrics() }
    }),
    /** Like Go's expvar (section 7). */
    variables: halfASecondOld(async () => ({
      version,
      uptime_seconds: Math.round(uptimeSeconds() * 1000) / 1000,
      timestamp: Math.floor(Date.now() / 1000),
      memstats: process.memoryUsage(),
      database: {
        ...pool(),
        writable: isWritable(),
        ...(replicas && { replicas: replicaVariables(replicas) }),
      },
      total_requests_received: received,
      total_responses_sent: sent,
      total_processing_time_μs: Math.round(processingSeconds * 1e6),
      total_responses_sent_by_status: { ...sentByStatus },
      in_flight_requests: received - sent,
      event_loop_lag_ms: Math.round(eventLoopLagMs() * 1000) / 1000,
      mail_queue: await countMails(),
      ...(limitsAreShared && { limits_shared: limitsAreShared() }),
    })),
    stop: () => lag.disable(),
  }
}

/** The client chooses the method's text, so unknown ones share a label. */
const knownMethod = (method: string) => (METHODS.has(method) ? method : 'other')
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
