import type { RequestHeader, ResponseHeader } from './operation'

const text = { type: 'string' }
const seconds = { type: 'integer', minimum: 1 }

const headers = {
  ETag: {
    description: 'The version of the movie, in quotation marks.',
    schema: { type: 'string', pattern: '^"[1-9][0-9]*"$' },
    example: '"1"',
  },
  ContentETag: {
    description: 'Stands for what the answer says; send it as `If-None-Match`.',
    schema: { type: 'string', pattern: '^"[^"]+"$' },
    example: '"1kd0p2xqz"',
  },
  Link: {
    description: 'The first, previous, next and last page of the same list (RFC 8288).',
    schema: text,
    example:
      '</v1/movies?page=1>; rel="first", </v1/movies?page=2>; rel="next", </v1/movies?page=6>; rel="last"',
  },
  Location: { description: 'The path of the new record.', schema: text, example: '/v1/movies/1' },
  RateLimit: {
    description: 'What is left of the limit, and the seconds until it is full again; absent without a limit.',
    schema: text,
    examples: {
      passed: { value: '"requests";r=39;t=1' },
      refused: { summary: 'With a 429', value: '"requests";r=0;t=1' },
    },
  },
  RateLimitPolicy: {
    description: 'The limit: requests and seconds.',
    schema: text,
    example: '"requests";q=20;w=1',
  },
  RequestId: { description: 'The id of the request in the log of the service.', schema: text },
  RetryAfter: { description: 'When to try again, in seconds.', schema: seconds, example: 1 },
  Stale: {
    description:
      'The maximum age of the answer in seconds, sent while a replica stands in for the primary database.',
    schema: seconds,
    example: 12,
  },
  WWWAuthenticate: {
    description: 'How to authenticate.',
    schema: { type: 'string', const: 'Bearer' },
    example: 'Bearer',
  },
} satisfies Record<ResponseHeader, object>

const headerNames: Partial<Record<ResponseHeader, string>> = {
  ContentETag: 'ETag',
  RateLimitPolicy: 'RateLimit-Policy',
  RequestId: 'X-Request-Id',
  RetryAfter: 'Retry-After',
  Stale: 'X-Redlight-Stale',
  WWWAuthenticate: 'WWW-Authenticate',
}

export const headersOf = (names: readonly ResponseHeader[]) =>
  Object.fromEntries(
    names.map((name) => [headerNames[name] ?? name, { $ref: `#/components/headers/${name}` }]),
  )

const header = (name: string, description: string, schema: object = text) => ({
  name,
  in: 'header',
  description,
  schema,
})
const parameters = {
  IfMatch: header('If-Match', 'The ETag of the version to change; 412 if it is no longer current.'),
  IfNoneMatch: header('If-None-Match', 'The ETag of your copy; 304 if it is current.'),
  OnlyIfNew: header('If-None-Match', 'With `*`, only creates: 412 if it exists already.'),
  ExpectedVersion: header('X-Expected-Version', 'The version to change; 409 if it is no longer current.', {
    type: 'integer',
    minimum: 1,
  }),
} satisfies Record<RequestHeader, object>

const envelope = (error: object) => ({ type: 'object', required: ['error'], properties: { error } })

export const components = {
  headers,
  parameters,
  securitySchemes: {
    token: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'The token returned by POST /v1/tokens/authentication.',
    },
    key: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'rl_…',
      description: 'An API key from POST /v1/keys. It reads movies, and nothing else.',
    },
    apikey: { type: 'apiKey', in: 'query', name: 'apikey', description: 'An API key from POST /v1/keys.' },
    xApiKey: {
      type: 'apiKey',
      in: 'header',
      name: 'X-API-Key',
      description: 'An API key from POST /v1/keys.',
    },
  },
  schemas: {
    Problem: envelope({ type: 'string', description: 'What is wrong, in words.' }),
    FieldProblems: envelope({
      type: 'object',
      description: 'A message for each field or parameter that breaks a rule.',
      minProperties: 1,
      additionalProperties: text,
    }),
  },
}
