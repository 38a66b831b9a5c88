import {
  Kind,
  type Static,
  type TObject,
  type TProperties,
  type TSchema,
  type TUnsafe,
  Type,
  TypeRegistry,
} from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { didYouMean } from './suggest'

/** Describes how a value breaks a field's rule, for its sender; undefined when it doesn't. */
export type Rule = (value: unknown) => string | undefined

type Sent = Readonly<Record<string, unknown>>
/** The same for several fields. It also gets invalid objects, so it skips fields of the wrong type. */
export type ObjectRule = (value: Sent) => Readonly<Record<string, string>>

// Under symbols, which stay out of the OpenAPI document.
const RULE = Symbol('rule')
const PLAIN = Symbol('plain object')
const OBJECT_RULE = Symbol('object rule')

type Checker = { Check(value: unknown): boolean; Errors(value: unknown): Iterable<ValueError> }

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    [RULE]?: Rule
    [PLAIN]?: Checker
    [OBJECT_RULE]?: ObjectRule
  }
}

/** A TypeBox type whose check and message are one function, so that they can't disagree. */
export const field = <T>(jsonSchema: Readonly<Record<string, unknown>>, rule: Rule): TUnsafe<T> =>
  Type.Unsafe<T>({ ...jsonSchema, [Kind]: 'Field', [RULE]: rule })

TypeRegistry.Set<TSchema>('Field', (schema, value) => schema[RULE]?.(value) === undefined)

/** An object of exactly these fields, with optional rules across them. */
export function object<P extends TProperties>(
  properties: P,
  rule: ObjectRule = () => ({}),
): TUnsafe<Static<TObject<P>>> {
  const plain = Type.Object(properties, { additionalProperties: false })
  return Type.Unsafe({
    ...plain,
    [Kind]: 'RuledObject',
    [PLAIN]: TypeCompiler.Compile(plain),
    [OBJECT_RULE]: rule,
  })
}

// Always valid for Elysia: `problemsOf` has checked it by then.
TypeRegistry.Set<TSchema>('RuledObject', () => true)

const isSent = (value: unknown): value is Sent => typeof value === 'object' && value !== null

const objectProblems = (schema: TSchema, value: unknown) =>
  (isSent(value) ? schema[OBJECT_RULE]?.(value) : undefined) ?? {}

const MAX_UNKNOWN_KEYS = 20

/**
 * One message for each field of an `object` that breaks a rule; undefined when all rules hold. The compiled
 * check runs first; messages are made only when it fails.
 */
export function problemsOf(
  schema: TSchema,
  value: unknown,
  unknownKey: string,
): Readonly<Record<string, string>> | undefined {
  const ofObject = objectProblems(schema, value)
  if (schema[PLAIN]?.Check(value) === true && Object.keys(ofObject).length === 0) return undefined
  // Without a prototype, so that __proto__ is an ordinary key.
  const messages: Record<string, string> = Object.create(null)
  for (const error of schema[PLAIN]?.Errors(withFewUnknownKeys(schema, value)) ?? []) {
    const key = topLevelKey(error.path)
    if (key in messages) continue
    const isUnknown = error.type === ValueErrorType.ObjectAdditionalProperties
    messages[key] = isUnknown
      ? unknownKey + didYouMean(key, Object.keys(schema.properties ?? {}))
      : (error.schema[RULE]?.(error.value) ?? MISSING)
  }
  for (const [key, message] of Object.entries(ofObject)) if (!(key in messages)) messages[key] = message
  return messages
}

/** Keeps a few unknown keys of possibly 100,000. */
function withFewUnknownKeys(schema: TSchema, value: unknown): unknown {
  if (!isSent(value)) return value
  const known: object = schema.properties ?? {}
  let unknown = 0
  const kept = Object.keys(value).filter((key) => Object.hasOwn(known, key) || ++unknown <= MAX_UNKNOWN_KEYS)
  return Object.fromEntries(kept.map((key) => [key, value[key]]))
}

/** First key of a JSON pointer (RFC 6901). */
function topLevelKey(path: string): string {
  const [, key = ''] = path.split('/', 2)
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

export const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null
export const MISSING = 'must be provided'

/** Accepts null, which clears an optional field. */
export const nullable = <T>(schema: TUnsafe<T>) =>
  field<T | null>({ ...jsonSchemaOf(schema), nullable: true }, (value) =>
    value === null ? undefined : schema[RULE]?.(value),
  )

function jsonSchemaOf(schema: TSchema): Record<string, unknown> {
  const { ...jsonSchema } = schema
  return jsonSchema
}
