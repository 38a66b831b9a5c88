import { field, isMissing, MISSING, type Rule } from './objects'

/** Length in Unicode code points, as PostgreSQL counts. */
export function codePoints(value: string): number {
  let surrogatePairs = 0
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) >>> 10 === 0x36) surrogatePairs++
  return value.length - surrogatePairs
}

/** PostgreSQL can't store NUL, and UTF-8 can't encode a lone surrogate. */
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

/** Lower case for ASCII only, like the database: addresses and usernames have no other letters. */
export const foldCase = (name: string) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

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
  if (!Array.isArray(value)) return 'must be a list, such as ["one", "two"]'
  if (value.length < min) return `must contain at least ${min} ${min === 1 ? 'entry' : 'entries'}`
  if (value.length > max) return `must not contain more than ${max} entries`
  for (const [index, entry] of value.entries()) {
    const problem = item(entry)
    if (problem !== undefined) return `entry ${index + 1} ${problem}`
  }
}

/** Query parameters are text; a repeated one arrives as a list. */
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
 * A record's id from a path or query; undefined when it isn't a positive 64-bit integer. An id beyond
 * JavaScript's safe integers matches no record anyway.
 */
export function parseId(value: string): number | undefined {
  if (!/^[1-9]\d{0,18}$/.test(value) || BigInt(value) > MAX_ID) return undefined
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER)
}

/** An id in our own form: a positive decimal number that JavaScript holds exactly. */
export function exactId(text: string): number | undefined {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(id) ? id : undefined
}

const DATE = /^(?!0000)\d{4}-\d{2}-\d{2}$/
/** Whether a text is a real date in the form `YYYY-MM-DD` (RFC 3339 full-date). */
export function isCalendarDate(value: unknown): value is string {
  if (typeof value !== 'string' || !DATE.test(value)) return false
  const day = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value)
}
export const dateProblem: Rule = (value) =>
  isMissing(value) ? MISSING : isCalendarDate(value) ? undefined : 'must be a calendar date like 2016-11-23'

const TIME = /^(\d{4}-\d{2}-\d{2})[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const DAY_MS = 24 * 3600 * 1000
const FIRST_TIME = new Date('0001-01-01T00:00:00Z')
const LAST_TIME = new Date('9999-12-31T23:59:59.999Z')
/**
 * Start and end (exclusive) of the second, millisecond or day in UTC that a text stands for: an RFC 3339
 * time or a date.
 */
export function parseTime(text: string): { start: Date; end: Date } | undefined {
  const [, date = text, fraction] = TIME.exec(text) ?? []
  const start = new Date(text.toUpperCase())
  // An offset may lead out of the years of PostgreSQL's and JavaScript's four digits.
  if (!isCalendarDate(date) || !(start >= FIRST_TIME && start <= LAST_TIME)) return undefined
  const lengthMs = date === text ? DAY_MS : fraction === undefined ? 1000 : 1
  return { start, end: new Date(Math.min(start.getTime() + lengthMs, LAST_TIME.getTime())) }
}

/** RFC 3339 in UTC, in whole seconds. */
export const timestampJson = (time: Date) => `${time.toISOString().slice(0, 19)}Z`

export const MAX_MAIL_ADDRESS_BYTES = 254
const MAIL_ADDRESS =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** One plain address, in the syntax of HTML's `<input type=email>`: neither a line break nor a second one fits in. */
export const isMailAddress = (text: string): boolean =>
  text.length <= MAX_MAIL_ADDRESS_BYTES && MAIL_ADDRESS.test(text)
