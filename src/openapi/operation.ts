import type { FailureCode, FieldMessages } from '../errors'
import type { Access } from '../permissions'

export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * What a route's `detail` says of it: only what can't be seen elsewhere. Schemas of what comes in are the models'
 * own; the refusals that follow from guard, body and path are added by openapi/document.
 */
export type Operation = {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  /** As on the route's line; tests/house/docs.test.ts holds the two together. Absent where anyone may call. */
  readonly access?: Access
  /** A probe or its like: not limited, and answered without the database. */
  readonly isProbe?: true
  readonly body?: RequestBody
  /** What the models' schemas of the query's parameters don't say. */
  readonly query?: Readonly<Record<string, JsonSchema>>
  /** The id that the path names. */
  readonly id?: {
    readonly description: string
    readonly example: number | string
    /** A positive integer, unless said otherwise. */
    readonly schema?: JsonSchema
  }
  readonly requestHeaders?: readonly RequestHeader[]
  readonly answers: Readonly<Record<number, Answer>>
  /** Beyond those of every operation of its kind. */
  readonly refusals?: readonly FailureCode[]
  /** An example of the 422. */
  readonly problems?: FieldMessages
}

type RequestBody = {
  /** Of the schema, among the document's components. */
  readonly name: string
  /** What the model's schemas of the fields don't say. */
  readonly fields?: Readonly<Record<string, JsonSchema>>
  /** Keywords over several fields. */
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
  readonly headers?: readonly ResponseHeader[]
}

export type RequestHeader = 'IfMatch' | 'IfNoneMatch' | 'OnlyIfNew' | 'ExpectedVersion'
export type ResponseHeader =
  | 'ETag'
  | 'Link'
  | 'Location'
  | 'RateLimit'
  | 'RateLimitPolicy'
  | 'RequestId'
  | 'RetryAfter'
  | 'Stale'
  | 'WWWAuthenticate'

/** The keyword that lifts a schema among the document's components, under this name. */
export const NAME = 'x-name'
export const named = (name: string, schema: JsonSchema): JsonSchema => ({ ...schema, [NAME]: name })

/** An object of which all but the optional properties are always there. */
export const objectOf = (
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  properties,
})

/** `{"message": …}`, always in the same words. */
export const messageAnswer = (description: string, message: string): Answer => ({
  description,
  schema: objectOf({ message: { type: 'string', const: message } }),
  example: { message },
})
