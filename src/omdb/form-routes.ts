import { Failure, type FailureCode, failures } from '../errors'
import { notModified, textAnswer } from '../http/answers'
import { contentTag, etag, isNotModified } from '../http/conditional'
import { EXPOSED, PREFLIGHT_MAX_AGE_SECONDS } from '../http/cors'
import { foldedParametersOf } from '../http/credentials'
import { type Form, failureHeaders } from '../http/error-responses'
import { type Format, formatOf, formOf, type Form as Kind, type Miss, misses, type Parameters } from './query'
import { errorXml } from './xml'

/** Outcomes of requests, for the metrics, by kind of question and format. */
export type Outcome = 'found' | 'not_found' | 'unauthorized' | 'limited' | 'failed'
type Counter = (
  name: string,
  help: string,
  labels: readonly ['form', 'format', 'outcome'],
) => (values: { form: Kind; format: Format; outcome: Outcome }) => void
export type OmdbForm = ReturnType<typeof createOmdbForm>

const PATH = /^\/omdb(?:\/|$)/
const TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json; charset=utf-8',
  xml: 'text/xml; charset=utf-8',
}
/** OMDb's own words for what clients know. */
const words: Partial<Record<FailureCode, string>> = {
  authenticationRequired: 'No API key provided.',
  invalidAuthenticationToken: 'Invalid API key!',
  rateLimited: 'Request limit reached!',
}
const outcomes: Partial<Record<number, Outcome>> = {
  401: 'unauthorized',
  403: 'unauthorized',
  429: 'limited',
}

const textOf = ({ code, detail }: Failure): string =>
  words[code] ?? (typeof detail.error === 'string' ? detail.error : failures[code].message)

const errorJson = (text: string) => ({ Response: 'False', Error: text })

/** A failure as it is answered here. */
export const failureJson = (code: FailureCode) => errorJson(textOf(new Failure(code)))

/** Everything under /omdb: answers and failures as OMDb writes them, for pages of any origin (section 10). */
export function createOmdbForm(counter: Counter) {
  const count = counter(
    'redlight_omdb_requests_total',
    'Requests to /omdb, by kind of question, format and outcome.',
    ['form', 'format', 'outcome'],
  )
  function write(parameters: Parameters, text: string, status: number, headers = {}) {
    return textAnswer(text, status, { 'Content-Type': TYPES[formatOf(parameters)], ...headers })
  }
  function error(parameters: Parameters, text: string, status: number, headers = {}) {
    const isXml = formatOf(parameters) === 'xml'
    const written = isXml ? errorXml(text) : JSON.stringify(errorJson(text))
    return write(parameters, written, status, headers)
  }
  const counted = (parameters: Parameters, outcome: Outcome) =>
    count({ form: formOf(parameters), format: formatOf(parameters), outcome })

  return {
    covers: (path) => PATH.test(path),

    failure(failure, request) {
      const parameters = foldedParametersOf(request)
      const { status } = failures[failure.code]
      counted(parameters, outcomes[status] ?? 'failed')
      return error(parameters, textOf(failure), status, failureHeaders(failure))
    },

    addHeaders(request, { headers, status }) {
      const isRefused = status === 401 || status === 429
      headers.set('Cache-Control', isRefused ? 'no-store' : 'private, no-cache')
      headers.set('Vary', 'Authorization, X-API-Key')
      // The address holds a key.
      headers.set('Referrer-Policy', 'no-referrer')
      headers.set('Access-Control-Allow-Origin', '*')
      headers.set('Access-Control-Expose-Headers', EXPOSED)
      if (request.method !== 'OPTIONS') return
      headers.set('Access-Control-Allow-Methods', headers.get('Allow') ?? 'GET')
      headers.set('Access-Control-Allow-Headers', 'Authorization, X-API-Key, Content-Type, If-None-Match')
      headers.set('Access-Control-Max-Age', PREFLIGHT_MAX_AGE_SECONDS)
    },

    /** 200 without a movie. */
    miss(parameters: Parameters, miss: Miss): Response {
      counted(parameters, 'not_found')
      return error(parameters, misses[miss], 200)
    },

    found(request: Request, parameters: Parameters, text: string): Response {
      counted(parameters, 'found')
      const tag = contentTag(text)
      if (isNotModified(request.headers, tag)) return notModified(etag(tag))
      return write(parameters, text, 200, { ETag: etag(tag) })
    },
  } satisfies Form & Record<string, unknown>
}
