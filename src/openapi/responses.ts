import { type FailureCode, failures } from '../errors'
import { headersOf } from './components'
import type { Answer, Operation, ResponseHeader } from './operation'

const refusalHeaders: Partial<Record<number, readonly ResponseHeader[]>> = {
  401: ['WWWAuthenticate'],
  429: ['RetryAfter'],
  503: ['RetryAfter'],
}
const refusalDescriptions: Partial<Record<number, string>> = {
  400: 'The body can’t be read as one JSON object.',
  401: 'The caller is not authenticated.',
  403: 'The caller may not do this.',
  404: 'There is no such record, or the id is invalid.',
  409: 'Somebody else has changed it since.',
  412: 'The version in `If-Match` is not current.',
  413: 'The body is over 1 MiB.',
  415: 'The body is not declared as JSON, or is compressed.',
  422: 'The request breaks rules; there is a message for each field.',
  429: 'Too many requests; `Retry-After` says when to try again.',
  500: 'Internal error; the log has the details.',
  503: 'The service can’t answer right now; `Retry-After` says when to try again.',
}
const exampleErrors: Partial<Record<FailureCode, string>> = {
  badlyFormedJson: `${failures.badlyFormedJson.message} (at character 17)`,
}

/** Every status of an operation: its own, and the failures that follow from its kind. */
export function responsesOf(operation: Operation) {
  const refusals = Map.groupBy(refusalsOf(operation), (code) => failures[code].status)
  return Object.fromEntries([
    ...Object.entries(operation.answers).map(([status, answer]) => [status, success(answer, operation)]),
    ...[...refusals].map(([status, codes]) => [status, refusal(status, codes, operation)]),
  ])
}

function refusalsOf({
  access,
  body,
  id,
  problems,
  isProbe,
  answers,
  refusals = [],
}: Operation): FailureCode[] {
  const asksForToken: FailureCode[] = ['authenticationRequired', 'invalidAuthenticationToken']
  const asksForPermission: FailureCode[] =
    access === 'activated' ? ['notActivated'] : ['notActivated', 'notPermitted']
  const readsBody: FailureCode[] = [
    'emptyBody',
    'badlyFormedJson',
    'notAnObject',
    'bodyTooLarge',
    'unsupportedMediaType',
    'unsupportedContentEncoding',
  ]
  return [
    ...(access === undefined ? [] : asksForToken),
    ...(access === undefined || access === 'authenticated' ? [] : asksForPermission),
    // An operation that creates records needs no existing one.
    ...(id === undefined || 201 in answers ? [] : ['notFound' as const]),
    ...(body === undefined ? [] : readsBody),
    ...(problems === undefined ? [] : ['invalid' as const]),
    ...refusals,
    'internal',
    ...(isProbe ? [] : ['rateLimited' as const]),
    ...(isProbe ? [] : ['databaseUnavailable' as const]),
  ]
}

const limitHeaders = ({ isProbe }: Operation): readonly ResponseHeader[] =>
  isProbe ? [] : ['RateLimit', 'RateLimitPolicy']

const success = (
  { description, mediaType = 'application/json', schema, example, others, headers = [] }: Answer,
  operation: Operation,
) => ({
  description,
  headers: headersOf([...headers, ...limitHeaders(operation), 'RequestId']),
  ...(schema === undefined ? {} : { content: { [mediaType]: { schema, example }, ...others } }),
})

function refusal(status: number, codes: readonly FailureCode[], operation: Operation) {
  const { problems } = operation
  const schema = operation.failure?.schema ?? {
    $ref: `#/components/schemas/${status === failures.invalid.status ? 'FieldProblems' : 'Problem'}`,
  }
  const examples = codes.map((code) => {
    const error = code === 'invalid' ? problems : (exampleErrors[code] ?? failures[code].message)
    return [code, { value: operation.failure?.examples[code] ?? { error } }]
  })
  return {
    description: refusalDescriptions[status] ?? '',
    headers: headersOf([...(refusalHeaders[status] ?? []), ...limitHeaders(operation), 'RequestId']),
    content: { 'application/json': { schema, examples: Object.fromEntries(examples) } },
  }
}
