import { failed, reached } from './offline'
import { base } from './router'
import { end, session } from './session'
import { site } from './site'
import type { Fields } from './types'

const PATIENCE_MS = 30_000

/** A refusal of the API; status 0 means that it couldn't be reached. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: string | Fields = '',
    readonly headers: Headers = new Headers(),
  ) {
    super(typeof problem === 'string' ? problem : 'some fields are wrong')
  }
}
export const isRefusal = (error: unknown, ...statuses: number[]): error is Refusal =>
  error instanceof Refusal && (statuses.length === 0 || statuses.includes(error.status))

type Options = {
  body?: unknown
  /** Fails unless the movie still has this version. */
  version?: number | undefined
  signal?: AbortSignal
  /** Sent instead of the session's token; null sends none. If it is refused, the session doesn't end. */
  token?: string | null
}

/** Called after every change, so that nothing read before is shown again. */
export const changed: (() => void)[] = []

export async function call<T = unknown>(method: string, path: string, options: Options = {}): Promise<T> {
  const { body, version } = options
  const own = session.value?.token
  const token = options.token === undefined ? own : options.token
  const headers = new Headers()
  if (body !== undefined) headers.set('Content-Type', 'application/json')
  if (version !== undefined) headers.set('If-Match', `"${version}"`)
  if (token) headers.set('Authorization', `Bearer ${token}`)
  const response = await ask(
    path,
    { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) },
    options.signal,
  )
  const answer = await readAnswer(response)
  options.signal?.throwIfAborted()
  if (method !== 'GET') for (const hear of changed) hear()
  if (response.ok && answer !== undefined) return answer
  const isOwn = options.token === undefined && own !== undefined
  if (response.status === 401 && isOwn && session.value?.token === own) end({ asked: false })
  // What isn't from the API, such as the sign-in page of a network, is as good as a failure of the proxy.
  throw new Refusal(response.ok ? 502 : response.status, answer?.error, response.headers)
}

/** Undefined unless it is an object: a proxy may respond with an HTML page. */
async function readAnswer(response: Response) {
  const answer = await response.json().catch(() => undefined)
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? answer : undefined
}

async function ask(path: string, request: RequestInit, signal?: AbortSignal): Promise<Response> {
  const signals = [AbortSignal.timeout(PATIENCE_MS), ...(signal ? [signal] : [])]
  try {
    const response = await fetch(base + path, { ...request, signal: AbortSignal.any(signals) })
    reached()
    return response
  } catch (error) {
    if (signal?.aborted) throw error
    failed()
    throw new Refusal(0)
  }
}

/** An error with a message for people. */
export class Told extends Error {}

/** An error in words for people. */
export function explain(error: unknown): string {
  if (error instanceof Told) return error.message
  if (!(error instanceof Refusal)) return 'Something went wrong on this page. Reload it and try again.'
  const { status, problem, headers } = error
  if (status === 0) return `${site.name} can’t be reached. Try again in a moment.`
  if (status === 429) return `Too many requests. Try again in ${pause(headers.get('Retry-After'))}.`
  if (status === 403 && String(problem).includes('activated'))
    return 'Activate your account first: open the link in the mail that we sent you.'
  if (status === 403) return 'You aren’t allowed to do that.'
  if (status === 404) return 'That isn’t there any more.'
  if (status === 409 || status === 412) return 'Someone else changed this in the meantime. Look at it again.'
  if (status >= 500)
    return `${site.name} has a problem just now. Try again in a moment.${whomToTell(headers)}`
  if (typeof problem === 'object') return 'Please correct the marked fields.'
  return problem === '' ? `${site.name} refused this. Reload the page and try again.` : sentence(problem)
}

export const sentence = (text: string) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.?$/, '.')}`

function pause(retryAfter: string | null): string {
  const given = Number(retryAfter ?? Number.NaN)
  const seconds = Number.isNaN(given) ? 60 : Math.max(1, given)
  if (seconds === 1) return 'a second'
  return seconds < 100 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}
function whomToTell(headers: Headers): string {
  const id = headers.get('X-Request-Id')
  return id === null ? '' : ` If it persists, tell its operator this number: ${id}`
}
