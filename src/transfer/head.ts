import { OperatorError } from '../errors'
import type { Bytes } from './bytes'
import type { Dialect } from './cells'
import type { Decode } from './decode'
import type { Format } from './formats/format'
import { recognised } from './formats/list'
import { CR, createRecordReader, LF } from './records'

/** What the first lines of a table say about it. */
export type TableHead = {
  readonly format: Format
  readonly names: readonly string[]
  readonly dialect: Dialect
  readonly lineEnd: number
  /** Line of the header; 0 if there is none. */
  readonly headerLine: number
}

export async function headOf(bytes: Bytes, decode: Decode, given: Format | undefined): Promise<TableHead> {
  let found: TableHead | undefined
  const { head, isAll } = await bytes.peek((start) => {
    found = headIn(bytes.name, start, false, decode, given)
    return found !== undefined
  })
  const table = found ?? headIn(bytes.name, head, isAll, decode, given)
  if (table === undefined)
    throw new OperatorError(`${bytes.name} is not a table: it has no header within its first 1 MiB`)
  return table
}

/** The head of a table, unless more of it is needed. */
function headIn(
  name: string,
  start: Buffer,
  isAll: boolean,
  decode: Decode,
  given: Format | undefined,
): TableHead | undefined {
  const first = firstLine(start, isAll)
  if (first === undefined) return undefined
  const { lineEnd } = first
  const dialect = given?.dialect ?? { delimiter: commonestDelimiter(first.text), quote: '"' }
  if (given?.header !== undefined)
    return { format: given, names: given.header, dialect, lineEnd, headerLine: 0 }
  let format = given
  for (const record of recordsIn(start, isAll, createRecordReader(dialect, decode, lineEnd))) {
    if (record.problem !== undefined)
      throw new OperatorError(`the header of ${name}, at line ${record.line}, ${record.problem.message}`)
    const names = record.cells.map((cell) => cell.trim())
    if (names.every((cell) => cell === '')) continue
    format ??= recognised('table', names)
    if (format.isHeader?.(names) ?? true)
      return { format, names, dialect: format.dialect ?? dialect, lineEnd, headerLine: record.line }
  }
}

function* recordsIn(start: Buffer, isAll: boolean, reader: ReturnType<typeof createRecordReader>) {
  yield* reader.push(start)
  if (isAll) yield* reader.end()
}

const QUOTE = 34

/** The first line that isn't empty, and how lines end; quoted line ends don't count. */
function firstLine(start: Buffer, isAll: boolean): { text: string; lineEnd: number } | undefined {
  let isQuoted = false
  let begin = 0
  for (const [at, code] of start.entries()) {
    if (code === QUOTE) isQuoted = !isQuoted
    if (isQuoted || (code !== LF && code !== CR)) continue
    if (start.toString('latin1', begin, at).trim() === '') {
      begin = at + 1
      continue
    }
    const next = code === CR ? start.subarray(at).find((each) => each !== CR) : LF
    if (next === undefined && !isAll) return undefined
    return { text: start.toString('latin1', begin, at), lineEnd: next === LF ? LF : CR }
  }
  return isAll ? { text: start.toString('latin1', begin), lineEnd: LF } : undefined
}

const DELIMITERS = [',', ';', '\t']
const QUOTED = /"[^"]*"/g

/** The delimiter that a header has most of, outside quotes. */
function commonestDelimiter(header: string): string {
  const bare = header.replace(QUOTED, '')
  const counts = DELIMITERS.map((each) => bare.split(each).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ','
}
