import { OperatorError } from '../errors'
import { beginningOf, type Decode, undecodable } from './decode'
import { createElementReader, type Element, type Layout } from './elements'
import { MAX_JSON_DEPTH, repeatedKeys, type Shape, shapeOf } from './json-scanner'
import { createLineReader, MAX_ROW_BYTES } from './lines'
import { tooLong } from './records'
import type { RowProblem } from './row'

export type JsonObject = Readonly<Record<string, unknown>>
/** A line or element: an object, or its problem. */
export type JsonItem = {
  readonly line: number
  readonly object?: JsonObject
  /** The object with its numbers as they are written, such as `2.0`. */
  readonly asWritten?: () => JsonObject
  /** Keys that it has more than once, if any. */
  readonly repeated?: ReadonlySet<string>
  readonly problem?: RowProblem
  readonly beginning: () => string
}
export type ItemReader = {
  push(chunk: Buffer): Iterable<JsonItem>
  end(): Iterable<JsonItem>
}

const LF = 10
const MAX_KEYS = 1000
const problem = (code: RowProblem['code'], message: string): RowProblem => ({ field: 'row', code, message })
const tooDeep = problem('too deep', `must not be nested deeper than ${MAX_JSON_DEPTH} levels`)
const notAnObject = problem(
  'not an object',
  'must be a JSON object, such as {"title": "Moana", "year": 2016}',
)
const tooManyKeys = problem('columns', `must not have more than ${MAX_KEYS} keys`)

/** Items of a file with one JSON object a line. */
export function createJsonLines(decode: Decode, startLine: number): ItemReader {
  const lines = createLineReader(LF)
  let line = startLine - 1
  let first: Buffer | undefined

  function* items(parts: ReturnType<typeof lines.push>): Generator<JsonItem> {
    for (const { bytes, isEnd } of parts) {
      if (!isEnd) {
        first ??= Buffer.from(bytes.subarray(0, 1000))
        continue
      }
      line++
      const long = first
      first = undefined
      if (long !== undefined || bytes.length > MAX_ROW_BYTES)
        yield { line, problem: tooLong, beginning: () => beginningOf(long ?? bytes, decode) }
      else if (!isBlank(bytes)) yield itemOf(line, bytes, shapeOf(bytes), decode)
    }
  }

  return {
    push: (chunk) => items(lines.push(chunk)),
    *end() {
      yield* items(lines.end())
      if (first !== undefined) yield* items(endOf())
    },
  }
}

function* endOf() {
  yield { bytes: Buffer.alloc(0), isEnd: true }
}

/** Items of a JSON list, from behind its bracket, or of values that follow each other. */
export function createJsonElements(decode: Decode, layout: Layout, startLine: number): ItemReader {
  const elements = createElementReader(layout, startLine)
  function* items(found: Iterable<Element>): Generator<JsonItem> {
    for (const { index, line, bytes, shape } of found) {
      const item = itemOf(index, bytes, shape, decode)
      if (item.problem?.code === 'json')
        throw new OperatorError(
          `element ${index}, at line ${line}, ${item.problem.message}; nothing after it could be read`,
        )
      yield item
    }
  }
  return {
    push: (chunk) => items(elements.push(chunk)),
    end() {
      elements.end()
      return []
    },
  }
}

function itemOf(line: number, bytes: Buffer, shape: Shape, decode: Decode): JsonItem {
  const beginning = () => beginningOf(bytes, decode)
  const refused = (what: RowProblem): JsonItem => ({ line, problem: what, beginning })
  if (shape.isTooDeep) return refused(tooDeep)
  const text = decode(bytes)
  if (text === undefined) return refused(undecodable(decode))
  const { value, reason } = parsed(text)
  if (reason !== undefined) return refused(problem('json', `must be valid JSON (${reason})`))
  if (!isObject(value)) return refused(notAnObject)
  const { length } = Object.keys(value)
  if (length > MAX_KEYS) return refused(tooManyKeys)
  return {
    line,
    object: value,
    asWritten: () => (LOSSY.test(text) ? asWritten(text) : value),
    repeated: length < shape.keys ? repeatedKeys(text) : undefined,
    beginning,
  }
}

/** Other numbers are written again as they were. */
const LOSSY = /\d[.eE]/

function asWritten(text: string): JsonObject {
  const value: unknown = JSON.parse(text, (_key, parsed: unknown, ...[context]: { source?: string }[]) =>
    typeof parsed === 'number' && Math.abs(parsed) <= Number.MAX_SAFE_INTEGER ? context?.source : parsed,
  )
  return isObject(value) ? value : {}
}

function parsed(text: string): { value?: unknown; reason?: string } {
  try {
    const value: unknown = JSON.parse(text)
    return { value }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { reason: reason.replace('JSON Parse error: ', '') }
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isBlank = (bytes: Buffer) => bytes.every((code) => code === 32 || code === 13 || code === 9)
