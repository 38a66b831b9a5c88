import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { RequestContext } from '../http/context'

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const MAX_UNOBSERVED = 250
type Labels = Readonly<Record<'route' | 'method' | 'status', string>>

/** Counts requests and their answers, and measures the time between. */
export function countRequests(registry: Registry) {
  let received = 0
  let sent = 0
  let processingSeconds = 0
  const sentByStatus: Record<string, number> = {}
  const durations = registerDurations(registry)
  registerCounts(registry, { inFlight: () => received - sent, sentByStatus })

  // Observed in batches, at a fifth of the cost.
  const unobserved: { labels: Labels; seconds: number }[] = []
  function observeAll() {
    for (const { labels, seconds } of unobserved) durations.observe(labels, seconds)
    unobserved.length = 0
  }

  return {
    started() {
      received++
    },
    ended({ route = 'none', method }: RequestContext, status: number, seconds: number) {
      sent++
      processingSeconds += seconds
      sentByStatus[status] = (sentByStatus[status] ?? 0) + 1
      const labels = { route, method: knownMethod(method), status: `${Math.floor(status / 100)}xx` }
      if (unobserved.push({ labels, seconds }) === MAX_UNOBSERVED) observeAll()
    },
    observeAll,
    variables: () => ({
      total_requests_received: received,
      total_responses_sent: sent,
      total_processing_time_μs: Math.round(processingSeconds * 1e6),
      total_responses_sent_by_status: { ...sentByStatus },
      in_flight_requests: received - sent,
    }),
  }
}

const registerDurations = (registry: Registry) =>
  new Histogram({
    name: 'redlight_http_request_duration_seconds',
    help: 'Time to answer a request, by route pattern, method and status class.',
    labelNames: ['route', 'method', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })

type Counts = { inFlight: () => number; sentByStatus: Readonly<Record<string, number>> }
function registerCounts(registry: Registry, { inFlight, sentByStatus }: Counts) {
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
  new Gauge({
    name: 'redlight_http_requests_in_flight',
    help: 'Requests received and not yet answered.',
    registers: [registry],
    collect() {
      this.set(inFlight())
    },
  })
}

/** The client chooses the method's text, so unknown ones share a label. */
const knownMethod = (method: string) => (METHODS.has(method) ? method : 'other')
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
