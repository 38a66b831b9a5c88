import { Failure } from '../errors'
import type { Log } from '../log'
import type { ClientAddresses } from './client-address'
import { openContext, type RequestContext } from './context'
import type { Cors } from './cors'
import { type AllowedMethods, failureResponse, logFailure, toFailure } from './error-responses'
import type { Metrics } from './metrics'
import type { Limiter } from './rate-limit'
import { logRequest } from './request-log'

export type PipelineDeps = {
  limiter: Pick<Limiter, 'isOn' | 'request'>
  clientAddresses: ClientAddresses
  cors: Cors
  metrics: Pick<Metrics, 'requestStarted' | 'requestEnded'>
  log: Log
  allowedMethods: AllowedMethods
}
type Handle = (request: Request) => Response | Promise<Response>

// A platform's probes and an operator's scrapes are not to be turned away; the page loads a dozen files at once.
const UNLIMITED = /^\/(?:v1\/healthcheck|metrics|debug\/vars|docs(?:\/.*)?)$/

/** What surrounds every request, known route or not: the first and the last to see it. */
export function pipeline(deps: PipelineDeps, handle: Handle) {
  return async (request: Request, socketAddress: () => string): Promise<Response> => {
    const context = openContext(request, performance.now())
    deps.metrics.requestStarted()
    const response = await answer(request, socketAddress, context, handle, deps)
    addCommonHeaders(response.headers, context)
    deps.cors.apply(request, response.headers)
    const seconds = (performance.now() - context.startedAt) / 1000
    deps.metrics.requestEnded(context, response.status, seconds)
    logRequest(deps.log, context, response.status, seconds)
    return response
  }
}

async function answer(
  request: Request,
  socketAddress: () => string,
  context: RequestContext,
  handle: Handle,
  deps: PipelineDeps,
) {
  try {
    if (deps.limiter.isOn && !UNLIMITED.test(context.path)) {
      const forwardedFor = request.headers.get('x-forwarded-for')
      context.limitKey = deps.clientAddresses.limitKey(socketAddress(), forwardedFor)
      const taken = deps.limiter.request(context.limitKey)
      if (taken instanceof Promise) await taken
    }
    return request.method === 'OPTIONS' ? options(context, deps) : await handle(request)
  } catch (thrown) {
    const failure = toFailure(thrown, request, deps.allowedMethods)
    logFailure(failure, context, deps.log)
    return failureResponse(failure)
  }
}

function options({ path }: RequestContext, { allowedMethods }: PipelineDeps): Response {
  const allow = allowedMethods(path)
  if (allow === undefined) throw new Failure('notFound')
  return new Response(null, { status: 204, headers: { Allow: allow } })
}

const FILMS = /^\/v1\/(?:movies|users\/me\/favourites)(?:\/|$)/
const API = /^\/v1\//

function addCommonHeaders(headers: Headers, { id, path }: RequestContext) {
  headers.set('X-Request-Id', id)
  headers.set('X-Content-Type-Options', 'nosniff')
  if (FILMS.test(path)) {
    headers.set('Cache-Control', 'private, no-cache')
    headers.set('Vary', 'Authorization')
  } else if (API.test(path)) headers.set('Cache-Control', 'no-store')
}
