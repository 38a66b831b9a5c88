import { NOTHING, type Taken } from '../limits/bucket'
import { type LimitKey, UNKNOWN_CLIENT } from '../limits/client-address'
import type { Caller } from '../permissions'
import type { Bill } from '../waiting'

/** The only carrier of a request's state. Topics add the record that the path names. */
export interface RequestContext {
  readonly id: string
  readonly startedAt: number
  readonly method: string
  readonly path: string
  /** The key that the limits count this client under. */
  limitKey: LimitKey
  /** The turn taken from the client's limit, and the cost beyond one request. */
  taken: Taken
  /** The same for the limit of its key. */
  takenByKey: Taken
  readonly bill: Bill
  bodyBytes: number
  /** Pattern of the matched route, such as /v1/movies/:id. */
  route: string | undefined
  /** Set by the guard. */
  caller: Caller | undefined
  /** The body or query, once it has passed the route's schema. */
  input: unknown
}

// A WeakMap would cost a microsecond a request, and garbage collection time.
const CONTEXT = Symbol('context')
declare global {
  interface Request {
    [CONTEXT]?: RequestContext
  }
}

// Safe in a log and in a header.
const SANE_ID = /^[A-Za-z0-9._:/+=-]{1,128}$/

export function openContext(request: Request, path: string, startedAt: number): RequestContext {
  const incoming = request.headers.get('x-request-id')
  const context: RequestContext = {
    id: incoming !== null && SANE_ID.test(incoming) ? incoming : crypto.randomUUID(),
    startedAt,
    method: request.method,
    path,
    limitKey: UNKNOWN_CLIENT,
    taken: NOTHING,
    takenByKey: NOTHING,
    bill: { client: '', databaseMs: 0 },
    bodyBytes: 0,
    route: undefined,
    caller: undefined,
    input: undefined,
  }
  request[CONTEXT] = context
  return context
}

export function contextOf(request: Request): RequestContext {
  const context = request[CONTEXT]
  if (context === undefined) throw new Error('the request did not come through the pipeline')
  return context
}

/** The caller, for the audit trail. */
export function authorOf(request: Request) {
  const { id, caller } = contextOf(request)
  const actor = caller?.kind === 'user' ? { id: caller.user.id, name: caller.user.name } : null
  return { actor, requestId: id }
}
