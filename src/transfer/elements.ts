import { OperatorError } from '../errors'
import { createScanner, isSpace } from './json-scanner'
import { MAX_ROW_BYTES } from './lines'

/** A value of a JSON list, or one of several that follow each other. */
export type Element = {
  readonly index: number
  readonly line: number
  readonly bytes: Buffer
  readonly isTooDeep: boolean
}
/** What is read: a list, from behind its bracket; that of an object; or values without commas between them. */
export type Layout = 'list' | 'list in an object' | 'sequence'

const [COMMA, LF, BRACKET, BRACE] = [44, 10, 93, 125]

/** Between values; `rest` is what follows the list of an object. */
type Expected = 'first value' | 'value' | 'separator' | 'rest' | 'nothing'

/** Splits JSON into values, of which it holds one at a time. Throws where there is no next one. */
export function createElementReader(layout: Layout, firstLine: number) {
  const scanner = createScanner()
  let expected: Expected = layout === 'sequence' ? 'value' : 'first value'
  let parts: Buffer[] = []
  let bytes = 0
  let index = 1
  let line = firstLine
  let startLine = firstLine
  let isInside = false

  function stop(reason: string) {
    const begins = isInside && startLine !== line ? `, which begins at line ${startLine}` : ''
    return new OperatorError(
      `line ${line} ${reason}, in element ${index}${begins}: nothing after it could be read`,
    )
  }

  function keep(part: Buffer) {
    if (expected === 'rest') return
    bytes += part.length
    if (bytes > MAX_ROW_BYTES) throw stop('exceeds the 1 MiB that an element may have')
    parts.push(part)
  }

  function begin() {
    scanner.begin(expected === 'rest' ? 1 : 0)
    startLine = line
    isInside = true
  }

  /** Between values; returns whether one begins here. */
  function begins(code: number): boolean {
    if (isSpace(code)) return false
    if (expected === 'nothing') throw stop('has more after the end of the list')
    if (code === BRACKET && layout !== 'sequence' && expected !== 'value') {
      expected = layout === 'list' ? 'nothing' : 'rest'
      if (expected === 'rest') begin()
      return false
    }
    if (expected === 'separator' && code !== COMMA) throw stop('lacks a comma')
    if (expected === 'separator') {
      expected = 'value'
      return false
    }
    if (code === COMMA || code === BRACKET || code === BRACE) throw stop('is not valid JSON')
    begin()
    return true
  }

  function endElement(last: Buffer): Element | undefined {
    keep(last)
    isInside = false
    if (expected === 'rest') {
      expected = 'nothing'
      return undefined
    }
    const whole = parts.length === 1 ? last : Buffer.concat(parts)
    const element = { index: index++, line: startLine, bytes: whole, isTooDeep: scanner.isTooDeep() }
    parts = []
    bytes = 0
    expected = layout === 'sequence' ? 'value' : 'separator'
    return element
  }

  return {
    *push(chunk: Buffer): Generator<Element> {
      let start = 0
      for (let at = 0; at < chunk.length; at++) {
        const code = chunk[at] ?? 0
        if (code === LF) line++
        if (!isInside) {
          if (!begins(code)) continue
          start = at
        }
        const end = scanner.next(code)
        if (end === 'broken') throw stop('ends within a text')
        if (end === undefined) continue
        const element = endElement(chunk.subarray(start, end === 'here' ? at + 1 : at))
        if (element !== undefined) yield element
        if (end === 'before') begins(code)
      }
      if (isInside) keep(Buffer.from(chunk.subarray(start)))
    },
    end(): void {
      if (isInside || (layout !== 'sequence' && expected !== 'nothing')) throw stop('is where the file ends')
    },
  }
}
