import { NotFoundError } from 'elysia'
import { Failure, failures } from '../errors'
import { describeError, type Log } from '../log'
import { json } from './answers'
import { contextOf, type RequestContext } from './context'

/** The methods of a path, as the value of `Allow`; undefined for an unknown path. */
export type AllowedMethods = (path: string) => string | undefined

/** How some paths answer where that differs from section 1 of the contract. */
export type Form = {
  /** Whether a path, known or not, answers in this form. */
  covers(path: string): boolean
  failure(failure: Failure, request: Request): Response
  /** Adds the headers that every answer carries, those of CORS included. */
  addHeaders(request: Request, response: Response): void
}

export const formOf = (forms: readonly Form[], path: string) => forms.find((form) => form.covers(path))

/** A failure in the form of the request's path. */
export function failureIn(forms: readonly Form[], failure: Failure, request: Request): Response {
  const form = formOf(forms, contextOf(request).path)
  return form === undefined ? failureResponse(failure) : form.failure(failure, request)
}

const headersOf: Partial<Record<number, Record<string, string>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  503: { 'Retry-After': '1' },
}

/** The writer of failures in the contract's envelope (section 1); another form of answers has its own. */
export function failureResponse(failure: Failure): Response {
  const { status, message } = failures[failure.code]
  const { error = message } = failure.detail
  return json({ error }, status, failureHeaders(failure))
}

/** The headers of a failure, in any form. */
export const failureHeaders = (failure: Failure): Readonly<Record<string, string>> => ({
  ...headersOf[failures[failure.code].status],
  ...failure.detail.headers,
})

/** The failure that a thrown value stands for. */
export function toFailure(thrown: unknown, request: Request, allowedMethods: AllowedMethods): Failure {
  if (thrown instanceof Failure) return thrown
  // Drizzle wraps what the database layer threw.
  if (thrown instanceof Error && thrown.cause instanceof Failure) return thrown.cause
  if (thrown instanceof NotFoundError) return unrouted(contextOf(request), allowedMethods)
  return new Failure('internal', { cause: thrown })
}

/** Elysia reports only that no route matched; a path with other methods is a 405. */
function unrouted({ path, method }: RequestContext, allowedMethods: AllowedMethods): Failure {
  const allow = allowedMethods(path)
  if (allow === undefined) return new Failure('notFound')
  return new Failure('methodNotAllowed', {
    error: `the ${method} method is not supported for this resource`,
    headers: { Allow: allow },
  })
}

/** Logs every 5xx with its cause. */
export function logFailure(failure: Failure, { id, route }: RequestContext, log: Log) {
  if (failure.code === 'internal')
    log.error('request failed', { request_id: id, route, ...describeError(failure.cause) })
  else if (failures[failure.code].status >= 500)
    log.warn('request refused', {
      request_id: id,
      route,
      failure: failure.code,
      ...describeError(failure.cause),
    })
}
