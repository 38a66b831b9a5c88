import type { FailureCode, FieldMessages } from '../errors'
import type { Access } from '../permissions'

export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * A route's `detail`, with only what isn't known elsewhere. Input schemas come from the models; failures that
 * follow from guard, body and path are added by openapi/document.
 */
export type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  /** As on the route's line; tests/house/docs.test.ts compares the two. Absent if anyone may call. */
  readonly access?: Access
  /**
   * By default a token. `any`: a key will do; by the configuration, neither is needed. `key`: nothing but a
   * key, in any of its places.
   */
  readonly credentials?: 'any' | 'key'
  /** A probe or the like: not limited, and answered without the database. */
  readonly isProbe?: true
  readonly body?: RequestBody
  /** Additions to the models' schemas of query parameters. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** The id in the path. */
  readonly id?: {
    readonly description: string
    readonly example: number | string
    /** A positive integer by default. */
    readonly schema?: JsonSchema
  }
  readonly requestHeaders?: readonly RequestHeader[]
  readonly answers: Readonly<Record<number, Answer>>
  /** Failures besides those of all such operations. */
  readonly refusals?: readonly FailureCode[]
  /** What a failure looks like where that isn't section 1's envelope. */
  readonly failure?: {
    readonly schema: JsonSchema
    readonly examples: Readonly<Partial<Record<FailureCode, unknown>>>
  }
  /** Example of the 422. */
  readonly problems?: FieldMessages
}

type RequestBody = {
  /** Name of the schema in the document's components. */
  readonly name: string
  /** Additions to the model's field schemas. */
  readonly fields?: Readonly<Record<string, JsonSchema>>
  /** Keywords about several fields. */
  readonly together?: JsonSchema
  readonly examples: Examples
}
export type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>

export type Answer = {
  readonly description: string
  readonly mediaType?: string
  /** Absent for an answer without a body. */
  readonly schema?: JsonSchema
  readonly example?: unknown
  /** Other media types in which it is given. */
  readonly others?: Readonly<Record<string, { readonly schema: JsonSchema; readonly example: unknown }>>
  readonly headers?: readonly ResponseHeader[]
}

export type RequestHeader = 'IfMatch' | 'IfNoneMatch' | 'OnlyIfNew' | 'ExpectedVersion'
export type ResponseHeader =
  | 'ETag'
  | 'ContentETag'
  | 'Link'
  | 'Location'
  | 'RateLimit'
  | 'RateLimitPolicy'
  | 'RequestId'
  | 'RetryAfter'
  | 'Stale'
  | 'WWWAuthenticate'

/** Moves a schema into the document's components under this name. */
export const NAME = 'x-name'
export const named = (name: string, schema: JsonSchema): JsonSchema => ({ ...schema, [NAME]: name })

/** An object whose properties are all required except the optional ones. */
export const objectOf = (
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  properties,
})

/** `{"message": …}` with a constant text. */
export const messageAnswer = (description: string, message: string): Answer => ({
  description,
  schema: objectOf({ message: { type: 'string', const: message } }),
  example: { message },
})

/** The `metadata` of a page of a list. */
export const metadataSchema = named(
  'Metadata',
  objectOf({
    current_page: { type: 'integer', minimum: 1 },
    page_size: { type: 'integer', minimum: 1, maximum: 100 },
    first_page: { type: 'integer', const: 1 },
    last_page: { type: 'integer', minimum: 1 },
    total_records: { type: 'integer', minimum: 0, description: 'The number of records on all pages.' },
  }),
)

export const authenticationToken = named(
  'AuthenticationToken',
  objectOf({
    token: { type: 'string', description: 'A JWT, for the header `Authorization: Bearer <token>`.' },
    expiry: { type: 'string', format: 'date-time' },
  }),
)
export const exampleToken = {
  token:
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIiwiaXNzIjoicmVkbGlnaHQifQ.MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI',
  expiry: '2026-01-03T03:04:05Z',
}
