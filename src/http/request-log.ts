import type { Log } from '../log'
import type { RequestContext } from './context'

/** One line for every request. The path stays out: it is whatever a stranger typed, and the route says enough. */
export function logRequest(log: Log, context: RequestContext, status: number, seconds: number) {
  // Balancers ask every second.
  const level = context.route === '/v1/healthcheck' ? 'debug' : 'info'
  log[level]('request', {
    request_id: context.id,
    method: context.method,
    route: context.route,
    status,
    duration_ms: Math.round(seconds * 1e6) / 1000,
    user_id: context.user?.id,
  })
}
