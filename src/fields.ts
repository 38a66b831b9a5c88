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

/** Why a value breaks a field's rule, in words for the person who sent it; undefined when it holds. */
export type Rule = (value: unknown) => string | undefined

type Sent = Readonly<Record<string, unknown>>
/**
 * The same over several fields of one object. It gets whatever was sent, so it looks only at what has the right
 * type; and, where the request changes a record, that record.
 */
export type ObjectRule = (value: Sent, record?: Sent) => Readonly<Record<string, string>>

// Under symbols, so that neither reaches the OpenAPI document.
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

/** A TypeBox type whose check and whose message are one function, so that they can't disagree. */
export const field = <T>(jsonSchema: Readonly<Record<string, unknown>>, rule: Rule): TUnsafe<T> =>
  Type.Unsafe<T>({ ...jsonSchema, [Kind]: 'Field', [RULE]: rule })

TypeRegistry.Set<TSchema>('Field', (schema, value) => schema[RULE]?.(value) === undefined)

/** An object of these fields and no others, which may have to agree with each other. */
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

TypeRegistry.Set<TSchema>(
  'RuledObject',
  (schema, value) =>
    schema[PLAIN]?.Check(value) === true && Object.keys(objectProblems(schema, value)).length === 0,
)

const records = new WeakMap<object, Sent>()

/** Tells the rules of a body which record it is about to change. */
export const changesRecord = (body: object, record: Sent) => records.set(body, record)

function objectProblems(schema: TSchema, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  return schema[OBJECT_RULE]?.({ ...value }, records.get(value)) ?? {}
}

const MAX_UNKNOWN_KEYS = 20

/**
 * One message for every field of an `object` that breaks a rule. TypeBox's errors are walked by hand: Elysia's own
 * list of them turns the whole value into text for each, which a hostile body makes arbitrarily slow.
 */
export function explain(schema: TSchema, value: unknown, unknownKey: string): Record<string, string> {
  // Without a prototype, so that a key called __proto__ is a key like any other.
  const messages: Record<string, string> = Object.create(null)
  for (const error of schema[PLAIN]?.Errors(withFewUnknownKeys(schema, value)) ?? []) {
    const key = topLevelKey(error.path)
    if (key in messages) continue
    const isUnknown = error.type === ValueErrorType.ObjectAdditionalProperties
    messages[key] = isUnknown ? unknownKey : (error.schema[RULE]?.(error.value) ?? MISSING)
  }
  for (const [key, message] of Object.entries(objectProblems(schema, value)))
    if (!(key in messages)) messages[key] = message
  return messages
}

/** Of a million keys that nobody knows, the first few say enough. */
function withFewUnknownKeys(schema: TSchema, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known: object = schema.properties ?? {}
  const kept: [string, unknown][] = []
  let unknown = 0
  for (const entry of Object.entries(value))
    if (Object.hasOwn(known, entry[0]) || ++unknown <= MAX_UNKNOWN_KEYS) kept.push(entry)
  return Object.fromEntries(kept)
}

/** Of a JSON pointer (RFC 6901). */
function topLevelKey(path: string): string {
  const [, key = ''] = path.split('/', 2)
  return key.replaceAll('~1', '/').replaceAll('~0', '~')
}

export const isMissing = (value: unknown): value is null | undefined => value === undefined || value === null
const MISSING = 'must be provided'

/** Lets null through, which clears an optional field. */
export const nullable = <T>(schema: TUnsafe<T>) =>
  field<T | null>({ ...jsonSchemaOf(schema), nullable: true }, (value) =>
    value === null ? undefined : schema[RULE]?.(value),
  )

function jsonSchemaOf(schema: TSchema): Record<string, unknown> {
  const { ...jsonSchema } = schema
  return jsonSchema
}

/** Characters are Unicode code points, as PostgreSQL counts them. */
export function codePoints(value: string): number {
  let surrogatePairs = 0
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) >>> 10 === 0x36) surrogatePairs++
  return value.length - surrogatePairs
}

/** What no text may hold: PostgreSQL can't store NUL, and UTF-8 can't write a lone surrogate. */
export const unstorable: Rule = (value) => {
  if (typeof value !== 'string') return 'must be a string'
  if (value.includes('\0')) return 'must not contain a NUL character'
  if (!value.isWellFormed()) return 'must not contain a lone surrogate'
}

export function textProblem(value: unknown, min: number, max: number): string | undefined {
  if (isMissing(value)) return MISSING
  const problem = unstorable(value)
  if (problem !== undefined || typeof value !== 'string') return problem
  const length = value.length > 2 * max ? value.length : codePoints(value)
  if (length < min) return length === 0 ? 'must not be empty' : `must be at least ${min} characters long`
  if (length > max) return `must not be more than ${max} characters long`
}

export const text = (min: number, max: number, more: Rule = () => undefined) =>
  field<string>(
    { type: 'string', minLength: min, maxLength: max },
    (value) => textProblem(value, min, max) ?? more(value),
  )

export function integerProblem(value: unknown, min: number, max: number): string | undefined {
  if (isMissing(value)) return MISSING
  if (!Number.isInteger(value) || typeof value !== 'number') return 'must be an integer'
  if (value < min || value > max) return `must be between ${min} and ${max}`
}

export function listProblem(value: unknown, min: number, max: number, item: Rule): string | undefined {
  if (isMissing(value)) return MISSING
  if (!Array.isArray(value)) return 'must be a list'
  if (value.length < min) return `must contain at least ${min}`
  if (value.length > max) return `must not contain more than ${max}`
  for (const [index, entry] of value.entries()) {
    const problem = item(entry)
    if (problem !== undefined) return `entry ${index + 1} ${problem}`
  }
}

/** A query parameter: text from the URL; given twice it arrives as a list. */
export const parameter = <T extends string = string>(
  jsonSchema: Readonly<Record<string, unknown>>,
  rule: Rule,
) =>
  field<T>(jsonSchema, (value) =>
    Array.isArray(value) ? 'must be given only once' : (unstorable(value) ?? rule(value)),
  )

const DECIMAL = /^(0|[1-9]\d{0,14})$/
export const integerParameter = (min: number, max: number) =>
  parameter({ type: 'integer', minimum: min, maximum: max }, (value) =>
    integerProblem(DECIMAL.test(String(value)) ? Number(value) : value, min, max),
  )

const MAX_ID = 2n ** 63n - 1n
/**
 * A record's number out of a path or query, or undefined when it is not a positive 64-bit integer. One that a
 * JavaScript number can't hold stands for no record either way.
 */
export function parseId(value: string): number | undefined {
  if (!/^[1-9]\d{0,18}$/.test(value) || BigInt(value) > MAX_ID) return undefined
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
}

const DATE = /^(?!0000)\d{4}-\d{2}-\d{2}$/
/** Whether a text is a day of the calendar as `YYYY-MM-DD` (RFC 3339 full-date). */
export function isCalendarDate(value: unknown): value is string {
  if (typeof value !== 'string' || !DATE.test(value)) return false
  const day = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value)
}
export const dateProblem: Rule = (value) =>
  isMissing(value) ? MISSING : isCalendarDate(value) ? undefined : 'must be a calendar date like 2016-11-23'
