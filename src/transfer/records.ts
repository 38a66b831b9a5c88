import { OperatorError } from '../errors'
import { createCellReader, type Dialect } from './cells'
import { beginningOf, type Decode, undecodable } from './decode'
import { createLineReader, type LinePart, MAX_ROW_BYTES } from './lines'
import type { RowProblem } from './row'

/** A record of a table, with its cells unless it has a problem. */
export type TableRecord = {
  readonly line: number
  readonly cells: readonly string[]
  readonly problem?: RowProblem
  /** First line, as far as it is in memory. */
  readonly beginning: () => string
}

const QUOTE = 34
export const LF = 10
export const CR = 13

const about = (code: RowProblem['code'], message: string): RowProblem => ({ field: 'row', code, message })

export const tooLong = about('too long', 'must not be longer than 1 MiB')
const neverClosed = about('quote', 'has a quote that is never closed, up to the end of the file')
const afterQuote = about(
  'quote',
  'has text after a closing quote; a quote within a quoted cell must be doubled ("")',
)

/** Splits a stream into the records of a table. */
export function createRecordReader(dialect: Dialect, decode: Decode, lineEnd: number) {
  const lines = createLineReader(lineEnd)
  const newLine = String.fromCharCode(lineEnd)
  const reader = createCellReader(dialect)
  let line = 1
  let record = newRecord(line)

  function read(text: string, isEnd: boolean) {
    const content = isEnd && lineEnd === LF ? withoutCrs(text) : text
    reader.read(content)
    if (content.length < text.length && reader.isOpen()) reader.read(text.slice(content.length))
  }

  function problem(): RowProblem | undefined {
    if (record.bytes > MAX_ROW_BYTES + 1) return tooLong
    if (reader.isOpen()) return neverClosed
    if (reader.isBroken()) return afterQuote
    return record.isText ? undefined : undecodable(decode)
  }

  function finish(): TableRecord {
    const { line: begins, first } = record
    const found = problem()
    const cells = reader.end()
    record = newRecord(line)
    const beginning = () => beginningOf(first, decode)
    return { line: begins, cells: found === undefined ? cells : [], problem: found, beginning }
  }

  function take(part: LinePart): TableRecord | undefined {
    const plain = record.bytes === 0 ? plainCells(part, dialect, decode, lineEnd) : undefined
    if (plain !== undefined) {
      record = newRecord(++line)
      return { line: line - 1, cells: plain, beginning: () => beginningOf(part.bytes, decode) }
    }
    if (record.bytes === 0) record.first = Buffer.from(part.bytes.subarray(0, 1000))
    record.bytes += part.bytes.length + 1
    const isKept = record.bytes <= MAX_ROW_BYTES + 1
    const text = isKept ? decode(part.bytes) : undefined
    if (text === undefined) record.isText = false
    // Latin-1 keeps the delimiters and quotes where they are.
    read(text ?? part.bytes.toString('latin1'), part.isEnd)
    if (!isKept) reader.drop()
    if (!part.isEnd) return undefined
    line++
    if (!reader.isOpen()) return finish()
    reader.read(newLine)
  }

  function* records(parts: Iterable<LinePart>): Generator<TableRecord> {
    for (const part of parts) {
      const found = take(part)
      if (found !== undefined) yield found
    }
  }

  return {
    push: (chunk: Buffer) => records(lines.push(chunk)),
    *end(): Generator<TableRecord> {
      yield* records(lines.end())
      if (record.bytes === 0) return
      if (record.bytes > MAX_ROW_BYTES + 1 && reader.isOpen())
        throw new OperatorError(
          `the quote that opens in the row at line ${record.line} is never closed, so nothing after it could be read`,
        )
      yield finish()
    },
  }
}

/** Python's csv ends lines with CR CR LF on Windows, so a run of CRs before LF is one line end with it. */
function withoutCrs(text: string): string {
  let end = text.length
  while (text.charCodeAt(end - 1) === CR) end--
  return text.slice(0, end)
}

const newRecord = (line: number) => ({ line, bytes: 0, first: Buffer.alloc(0), isText: true })

/** The cells of a line without a quote, which is most of them. */
function plainCells(
  { bytes, isEnd }: LinePart,
  { quote, delimiter }: Dialect,
  decode: Decode,
  lineEnd: number,
): string[] | undefined {
  if (!isEnd || bytes.length > MAX_ROW_BYTES) return undefined
  if (quote !== undefined && bytes.includes(QUOTE)) return undefined
  const text = decode(bytes)
  if (text === undefined) return undefined
  return (lineEnd === LF ? withoutCrs(text) : text).split(delimiter)
}
