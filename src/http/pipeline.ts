import { Failure } from '../errors'
import { addLimitHeaders, NOTHING, type Taken } from '../limits/bucket'
import { EXEMPT, type LimitKey } from '../limits/client-address'
import { hidden, type MetricsAccess } from '../limits/metrics-access'
import { unitsBeyondOne } from '../limits/rate-limit'
import type { Log } from '../log'
import { withDeadline } from '../waiting'
import { bytesOf } from './answers'
import { openContext, type RequestContext } from './context'
import type { Cors } from './cors'
import { type AllowedMethods, type Form, failureIn, formOf, logFailure, toFailure } from './error-responses'
import { pathOf } from './request-path'

export type PipelineDeps = {
  limiter: {
    readonly isOn: boolean
    /** Throws the 429. */
    request(limitKey: LimitKey): Taken | Promise<Taken>
  }
  clientAddresses: { limitKey(socketAddress: string, forwardedFor: string | null): LimitKey }
  cors: Cors
  /** Forms other than the usual one. */
  forms: readonly Form[]
  metrics: {
    requestStarted(): void
    requestEnded(context: RequestContext, status: number, seconds: number): void
  }
  metricsAccess: MetricsAccess
  log: Log
  allowedMethods: AllowedMethods
  /** Limit on a request's total waiting time. */
  deadlineMs: number
}
type Handle = (request: Request) => Response | Promise<Response>

// A platform's probes and an operator's scrapes must get through, and never wait for long; the documentation
// page loads a dozen files at once.
const UNLIMITED = /^\/(?:v1\/healthcheck|metrics|debug\/vars|docs(?:\/.*)?)$/

/**
 * Surrounds every request, on a known route or not. A handler that doesn't wait is answered without a
 * promise, which would cost as much as all of this (decision 14).
 */
export function pipeline(deps: PipelineDeps, handle: Handle) {
  return (request: Request, socketAddress: () => string): Response | Promise<Response> => {
    const startedAt = performance.now()
    const path = pathOf(request)
    const context = openContext(request, path ?? '', startedAt)
    deps.metrics.requestStarted()
    try {
      if (path === undefined) throw new Failure('invalidHost')
      const isHidden = deps.metricsAccess.isHidden(path, request, socketAddress)
      const answer = isHidden ? hidden : handle
      const response =
        UNLIMITED.test(path) && !isHidden
          ? route(request, context, answer, deps)
          : withDeadline(
              deps.deadlineMs,
              () => limited(request, socketAddress, context, answer, deps),
              context.bill,
            )
      if (!(response instanceof Promise)) return finished(response, request, context, deps)
      return response.then(
        (response) => finished(response, request, context, deps),
        (thrown) => failed(thrown, request, context, deps),
      )
    } catch (thrown) {
      return failed(thrown, request, context, deps)
    }
  }
}

function limited(
  request: Request,
  socketAddress: () => string,
  context: RequestContext,
  handle: Handle,
  deps: PipelineDeps,
): Response | Promise<Response> {
  if (!deps.limiter.isOn) {
    context.limitKey = EXEMPT
    return route(request, context, handle, deps)
  }
  const forwardedFor = request.headers.get('x-forwarded-for')
  context.limitKey = deps.clientAddresses.limitKey(socketAddress(), forwardedFor)
  if (context.limitKey !== EXEMPT) context.bill.client = context.limitKey
  const taken = deps.limiter.request(context.limitKey)
  const go = (taken: Taken) => {
    context.taken = taken
    return route(request, context, handle, deps)
  }
  return taken instanceof Promise ? taken.then(go) : go(taken)
}

// Some proxies treat it as a slash, so they would have meant another path.
const ENCODED_BACKSLASH = /%5c/i

function route(request: Request, context: RequestContext, handle: Handle, deps: PipelineDeps) {
  if (context.path.includes('%') && ENCODED_BACKSLASH.test(context.path)) throw new Failure('notFound')
  return context.method === 'OPTIONS' && handle !== hidden ? options(context, deps) : handle(request)
}

function failed(thrown: unknown, request: Request, context: RequestContext, deps: PipelineDeps): Response {
  const failure = toFailure(thrown, request, deps.allowedMethods)
  logFailure(failure, context, deps.log)
  return finished(failureIn(deps.forms, failure, request), request, context, deps)
}

function finished(response: Response, request: Request, context: RequestContext, deps: PipelineDeps) {
  addCommonHeaders(response.headers, context)
  if (context.taken !== NOTHING || context.takenByKey !== NOTHING) charge(context, response)
  const form = formOf(deps.forms, context.path)
  if (form === undefined) deps.cors.apply(request, response.headers)
  else form.addHeaders(request, response)
  const seconds = (performance.now() - context.startedAt) / 1000
  deps.metrics.requestEnded(context, response.status, seconds)
  logRequest(deps.log, context, response.status, seconds)
  return response
}

/** Charges the cost beyond one request, which is known only now. */
function charge({ taken, takenByKey, bill, bodyBytes }: RequestContext, response: Response) {
  const units = unitsBeyondOne({ bodyBytes, answerBytes: bytesOf(response), databaseMs: bill.databaseMs })
  for (const each of [taken, takenByKey]) {
    if (units > 0) each.charge(units)
    addLimitHeaders(response.headers, each, units)
  }
}

function options({ path }: RequestContext, { allowedMethods }: PipelineDeps): Response {
  const allow = allowedMethods(path)
  if (allow === undefined) throw new Failure('notFound')
  return new Response(null, { status: 204, headers: { Allow: allow } })
}

const MOVIES = /^\/v1\/(?:movies|genres|users\/me\/favourites)(?:\/|$)/
const API = /^\/v1\//

function addCommonHeaders(headers: Headers, { id, path }: RequestContext) {
  headers.set('X-Request-Id', id)
  headers.set('X-Content-Type-Options', 'nosniff')
  if (MOVIES.test(path)) {
    headers.set('Cache-Control', 'private, no-cache')
    headers.set('Vary', 'Authorization')
  } else if (API.test(path)) headers.set('Cache-Control', 'no-store')
}

/** One line per request. The path is left out: a stranger chose it, and the route says enough. */
function logRequest(log: Log, context: RequestContext, status: number, seconds: number) {
  // Load balancers ask every second.
  const level = context.route === '/v1/healthcheck' ? 'debug' : 'info'
  log[level]('request', {
    request_id: context.id,
    method: context.method,
    route: context.route,
    status,
    duration_ms: Math.round(seconds * 1e6) / 1000,
    user_id: context.caller?.kind === 'user' ? context.caller.user.id : undefined,
    key_id: context.caller?.kind === 'key' ? context.caller.keyId : undefined,
  })
}
