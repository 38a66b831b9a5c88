import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import type { RequestContext } from '../http/context'
import { atOnce, halfASecondOld } from './figures'
import { startLastHour } from './last-hour'
import { type Replicas, registerReplicas, replicaVariables } from './replica-metrics'
import { countRequests } from './request-metrics'

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
  date: () => number
  /** How often the figures of the last hour are gathered; every ten seconds by default. */
  figuresMs?: number | undefined
}
export type Metrics = ReturnType<typeof createMetrics>

const LAG_RESOLUTION_MS = 10

export function createMetrics(gauges: Gauges) {
  const { version, pool, isWritable, mails, limitsAreShared, replicas } = gauges
  const registry = new Registry()
  const requests = countRequests(registry)
  const ownProcess = watchProcess()
  /** NaN until the database first answers, so that the other figures don't wait. */
  const countMails = atOnce(mails, { waiting: Number.NaN, failed: Number.NaN })
  const lastHour = startLastHour({
    pool,
    mails: countMails,
    date: gauges.date,
    everyMs: gauges.figuresMs,
  })
  registerBuild(registry, version)
  registerProcess(registry, ownProcess)
  registerGauges(registry, { ...gauges, mails: countMails })
  if (replicas !== undefined) registerReplicas(registry, replicas)

  return {
    requestStarted: requests.started,
    requestEnded(context: RequestContext, status: number, seconds: number) {
      requests.ended(context, status, seconds)
      lastHour.requestEnded(status, seconds)
    },
    lastHour,
    /** A counter of a topic's own; the result counts one. */
    counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
      const counter = new Counter({ name, help, labelNames, registers: [registry] })
      return (labels: Readonly<Record<Label, string>>) => counter.inc(labels)
    },
    prometheus: halfASecondOld(async () => {
      requests.observeAll()
      return { type: registry.contentType, text: await registry.metrics() }
    }),
    /** Like Go's expvar (section 7). */
    variables: halfASecondOld(async () => ({
      version,
      ...ownProcess.variables(),
      database: {
        ...pool(),
        writable: isWritable(),
        ...(replicas && { replicas: replicaVariables(replicas) }),
      },
      ...requests.variables(),
      mail_queue: await countMails(),
      ...(limitsAreShared && { limits_shared: limitsAreShared() }),
    })),
    stop() {
      ownProcess.stop()
      lastHour.stop()
    },
  }
}

function watchProcess() {
  const startedAt = performance.now()
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  const uptimeSeconds = () => (performance.now() - startedAt) / 1000
  // Bun's delay histogram, unlike Node's, doesn't include the resolution.
  const eventLoopLagMs = () => lag.percentile(99) / 1e6
  return {
    uptimeSeconds,
    eventLoopLagMs,
    variables: () => ({
      uptime_seconds: Math.round(uptimeSeconds() * 1000) / 1000,
      timestamp: Math.floor(Date.now() / 1000),
      memstats: process.memoryUsage(),
      event_loop_lag_ms: Math.round(eventLoopLagMs() * 1000) / 1000,
    }),
    stop: () => lag.disable(),
  }
}

type Gauged = (name: string, help: string, read: () => number | Promise<number>) => void
const gaugeIn =
  (registry: Registry): Gauged =>
  (name, help, read) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read())
      },
    })

function registerBuild(registry: Registry, version: string) {
  new Gauge({
    name: 'redlight_build_info',
    help: 'The version that runs.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1)
}

type Watched = Pick<ReturnType<typeof watchProcess>, 'uptimeSeconds' | 'eventLoopLagMs'>
function registerProcess(registry: Registry, { uptimeSeconds, eventLoopLagMs }: Watched) {
  const gauge = gaugeIn(registry)
  gauge('redlight_uptime_seconds', 'Time since the start.', uptimeSeconds)
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
}

function registerGauges(registry: Registry, gauges: Gauges) {
  const { pool, isWritable, passwords, mails, limitsAreShared } = gauges
  const gauge = gaugeIn(registry)
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
  gauge('redlight_mails_waiting', 'Mails waiting to be sent.', async () => (await mails()).waiting)
  gauge('redlight_mails_failed', 'Mails given up after the last try.', async () => (await mails()).failed)
  if (limitsAreShared !== undefined)
    gauge(
      'redlight_limits_shared',
      '1 while all instances share their limits, 0 while each counts alone.',
      () => Number(limitsAreShared()),
    )
}
