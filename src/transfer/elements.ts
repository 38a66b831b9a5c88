import { OperatorError } from '../errors'
import { createScanner, isSpace, type Shape } from './json-scanner'
import { MAX_ROW_BYTES } from './lines'

/** A value of a JSON list, or one of several that follow each other. */
export type Element = {
  readonly index: number
  readonly line: number
  readonly bytes: Buffer
  readonly shape: Shape
}
/** The kinds of input: a list, after its bracket; a list inside an object; or values without commas between them. */
export type Layout = 'list' | 'list in an object' | 'sequence'

const [COMMA, LF, BRACKET, BRACE] = [44, 10, 93, 125]

/** Splits JSON into values, of which it holds one at a time. Throws where there is no next one. */
export function createElementReader(layout: Layout, firstLine: number) {
  const place = createPlace(layout, firstLine)
  const scanner = createScanner()
  let parts: Buffer[] = []
  let bytes = 0

  function keep(part: Buffer) {
    if (place.isRest()) return
    bytes += part.length
    if (bytes > MAX_ROW_BYTES) throw place.stop('the JSON has a value of more than 1 MiB')
    parts.push(part)
  }

  function endElement(last: Buffer): Element | undefined {
    keep(last)
    const begun = place.end()
    if (begun === undefined) return undefined
    const whole = parts.length === 1 ? last : Buffer.concat(parts)
    parts = []
    bytes = 0
    return { ...begun, bytes: whole, shape: { isTooDeep: scanner.isTooDeep(), keys: scanner.keys() } }
  }

  return {
    *push(chunk: Buffer): Generator<Element> {
      let start = 0
      for (let at = 0; at < chunk.length; at++) {
        const code = chunk[at] ?? 0
        if (code === LF) place.nextLine()
        if (!place.isInside()) {
          if (!place.begins(code, scanner.begin)) continue
          start = at
        }
        const end = scanner.next(code)
        if (end === 'broken') throw place.stop('the JSON has a line end within a text')
        if (end === undefined) continue
        const element = endElement(chunk.subarray(start, end === 'here' ? at + 1 : at))
        if (element !== undefined) yield element
        if (end === 'before') place.begins(code, scanner.begin)
      }
      if (place.isInside()) keep(Buffer.from(chunk.subarray(start)))
    },
    end(): void {
      if (!place.isComplete()) throw place.stop('the file ends')
    },
  }
}

/** Between values; `rest` is what follows the list of an object. */
type Expected = 'first value' | 'value' | 'separator' | 'rest' | 'nothing'

/** Where a reader stands, and what may follow there. */
function createPlace(layout: Layout, firstLine: number) {
  let expected: Expected = layout === 'sequence' ? 'value' : 'first value'
  let index = 1
  let line = firstLine
  let startLine = firstLine
  let isInside = false

  function stop(reason: string) {
    const begins = isInside && startLine !== line ? `, which begins at line ${startLine}` : ''
    return new OperatorError(
      `${reason} at line ${line}, in element ${index}${begins}: nothing after it could be read`,
    )
  }

  /** Takes a mark between values; returns whether it was one. */
  function takesMark(code: number): boolean {
    if (isSpace(code)) return true
    if (expected === 'nothing') throw stop('more follows the end of the list')
    if (code === BRACKET && layout !== 'sequence' && expected !== 'value') {
      expected = layout === 'list' ? 'nothing' : 'rest'
      isInside = expected === 'rest'
      return true
    }
    if (expected === 'separator' && code !== COMMA) throw stop('the JSON lacks a comma')
    if (expected !== 'separator' && [COMMA, BRACKET, BRACE].includes(code))
      throw stop('the JSON is not valid')
    if (expected !== 'separator') return false
    expected = 'value'
    return true
  }

  return {
    stop,
    isInside: () => isInside,
    isRest: () => expected === 'rest',
    isComplete: () => !isInside && (layout === 'sequence' || expected === 'nothing'),
    nextLine() {
      line++
    },
    /** Whether a value begins with this byte between values. */
    begins(code: number, begin: (openBrackets: number) => void): boolean {
      if (takesMark(code)) {
        if (isInside) begin(1)
        return false
      }
      begin(0)
      startLine = line
      isInside = true
      return true
    },
    /** A value ends; undefined if it was the rest. */
    end(): { index: number; line: number } | undefined {
      isInside = false
      const isValue = expected !== 'rest'
      expected = !isValue ? 'nothing' : layout === 'sequence' ? 'value' : 'separator'
      return isValue ? { index: index++, line: startLine } : undefined
    },
  }
}
