import { NOTHING, type Taken } from '../limits/bucket'
import { type LimitKey, UNKNOWN_CLIENT } from '../limits/client-address'
import type { Principal } from '../permissions'
import type { Bill } from '../waiting'

/** The one carrier of what is known about a request. Topics add the record that a request is about. */
export interface RequestContext {
  readonly id: string
  readonly startedAt: number
  readonly method: string
  readonly path: string
  /** What the limits count the client by. */
  limitKey: LimitKey
  /** What it took of its client's requests, and what it has cost beyond that. */
  taken: Taken
  readonly bill: Bill
  bodyBytes: number
  /** The pattern of the route that answers, such as /v1/movies/:id. */
  route: string | undefined
  /** The user whom the guard has let in. */
  user: Principal | undefined
  /** What the route's schema says of the body or the query, once it is judged. */
  input: unknown
}

// On the request itself: a weak map takes a microsecond of each request, and some of the collector's time.
const CONTEXT = Symbol('context')
declare global {
  interface Request {
    [CONTEXT]?: RequestContext
  }
}

// What is safe in a log and in a header, whoever sent it.
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
    bill: { client: '', databaseMs: 0 },
    bodyBytes: 0,
    route: undefined,
    user: undefined,
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
