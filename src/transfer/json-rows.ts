import { quoted } from '../rules/suggest'
import type { UseOf } from './columns'
import type { RawRow } from './formats/format'
import { isObject, type JsonItem, type JsonObject } from './json-items'
import { isOwnObject, ownObject } from './own-export'
import { type MovieField, type Row, type RowProblem, rejected } from './row'
import { isOtherKind } from './texts'
import { readValues, type ValueOptions } from './values'

const isRejectLine = (object: JsonObject) =>
  ['line', 'errors', 'row'].every((key) => Object.hasOwn(object, key))

/** The movie of an object, which is its `row` in a line of a reject file; undefined if that has none. */
export function movieIn(object: JsonObject): JsonObject | undefined {
  if (!isRejectLine(object)) return object
  return isObject(object.row) ? object.row : undefined
}

/** As we write the first line of a reject file, or as a program writes it again. */
const FIRST_KEYS = /^\s*\{\s*"line"\s*:\s*\d+\s*,\s*"errors"\s*:\s*\{/
export const mayBeginRejectFile = (head: Buffer) => FIRST_KEYS.test(head.toString('latin1', 0, BEGINNING))
const BEGINNING = 200

/** Whether a line is of a reject file, of which it may also be just the beginning, or no longer JSON. */
export function isOfRejectFile(line: string): boolean {
  try {
    const object: unknown = JSON.parse(line)
    return isObject(object) && isRejectLine(object)
  } catch {
    return true
  }
}

const noRow: RowProblem = {
  field: 'row',
  code: 'not an object',
  message:
    'must be an object; nothing could be read of this row, so correct it in the file that it came from',
}

/** Makes a row of each item; `isOwn` if objects may be what our export wrote. */
export function jsonRowReader(useOf: UseOf, values: ValueOptions, isOwn: boolean): (item: JsonItem) => Row {
  return ({ line, object, asWritten, repeated, problem, beginning }) => {
    if (object === undefined) return rejected(line, problem ?? noRow, beginning())
    const movie = movieIn(object)
    if (movie === undefined) return rejected(line, noRow, beginning())
    const twice = [...(repeated ?? [])].find((key) => isUsed(useOf(key)))
    if (twice !== undefined) return rejected(line, twoKeys(twice), beginning())
    if (isOwn && isOwnObject(movie)) return { line, kind: 'movie', ...ownObject(movie) }
    const raw = rawRow(movie, useOf, () => (asWritten && movieIn(asWritten())) ?? movie)
    if ('conflict' in raw)
      return rejected(line, { field: 'row', code: 'columns', message: raw.conflict }, beginning())
    if (isOtherKind(raw.row.kind)) return { line, kind: 'not_movie', fields: {}, problems: [] }
    return { line, kind: 'movie', ...readValues(raw.row, values) }
  }
}

/** Fields of which a number is a text, as it is written. */
const TEXTS: readonly unknown[] = ['title', 'director', 'synopsis', 'external_id']

function rawRow(
  object: JsonObject,
  useOf: UseOf,
  asWritten: () => JsonObject,
): { row: RawRow } | { conflict: string } {
  const own: RawRow = {}
  const read: RawRow = {}
  for (const [key, value] of Object.entries(object)) {
    const use = useOf(key)
    if (use === undefined || use === 'ignored') continue
    if (typeof use === 'function') Object.assign(read, use(value))
    else if (own[use] === undefined)
      own[use] = typeof value === 'number' && TEXTS.includes(use) ? asWritten()[key] : value
    else if (use !== 'kind') return { conflict: conflict(use, key, object, useOf) }
  }
  return { row: { ...read, ...own } }
}

const isUsed = (use: ReturnType<UseOf>) => use !== undefined && use !== 'ignored'
const twoKeys = (key: string): RowProblem => ({
  field: 'row',
  code: 'columns',
  message: `must not have the key ${quoted(key)} twice`,
})

function conflict(field: MovieField, key: string, object: JsonObject, useOf: UseOf): string {
  const other = Object.keys(object).find((each) => useOf(each) === field) ?? ''
  return `must not have two keys for ${field}: ${quoted(other)} and ${quoted(key)}`
}
