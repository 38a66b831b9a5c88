import { OperatorError } from '../errors'
import type { Bytes } from './bytes'
import { givesTitle, noTitle, put, refuseConflict, spelt, usesOf } from './columns'
import { type Decode, decoderOf } from './decode'
import type { RawRow, Use } from './formats/format'
import { headOf, type TableHead } from './head'
import { isOwnHeader, ownCells } from './own-export'
import { createRecordReader, type TableRecord } from './records'
import { type Row, rejected, type Source } from './row'
import type { Settings } from './settings'
import { isOtherKind } from './texts'
import { readValues } from './values'

const MAX_COLUMNS = 1000

type Column = { readonly index: number; readonly use: Use }

/** A file whose rows have cells, under a header. */
export async function openTable(bytes: Bytes, settings: Settings): Promise<Source> {
  const decode = decoderOf(settings.encoding)
  const head = await headOf(bytes, decode, settings.format)
  const { names, format } = head
  if (format.isFolder)
    throw new OperatorError(`${bytes.name} is one of several files of ${format.name}: name their folder`)
  if (names.length > MAX_COLUMNS)
    throw new OperatorError(
      `${bytes.name} has ${names.length} columns; at most ${MAX_COLUMNS} can be imported`,
    )
  const useOf = usesOf(format, spelt(settings.mapping, names))
  refuseConflict(bytes.name, names, useOf)
  const uses = names.map(useOf)
  const isOwn = ['csv', 'tsv'].includes(format.name) && settings.mapping.size === 0 && isOwnHeader(names)
  if (!isOwn && !uses.some(givesTitle)) throw noTitle(bytes.name, names)
  const read = isOwn ? ownRow : rowReader(uses, settings)
  return {
    name: bytes.name,
    format: format.name,
    unit: 'line',
    unusedColumns: isOwn
      ? []
      : names.filter((name, index) => name.trim() !== '' && uses[index] === undefined),
    rows: rowsOf(bytes, head, decode, (record) => judgeShape(record, names.length) ?? read(record)),
    position: bytes.position,
    close: bytes.close,
  }
}

async function* rowsOf(
  bytes: Bytes,
  { dialect, lineEnd, headerLine }: TableHead,
  decode: Decode,
  rowOf: (record: TableRecord) => Row,
): AsyncGenerator<Row> {
  const reader = createRecordReader(dialect, decode, lineEnd)
  const isRow = (record: TableRecord) =>
    record.line > headerLine && (record.problem !== undefined || record.cells.some(isFilled))
  for await (const chunk of bytes.chunks())
    for (const record of reader.push(chunk)) if (isRow(record)) yield rowOf(record)
  for (const record of reader.end()) if (isRow(record)) yield rowOf(record)
}

const isFilled = (cell: string) => cell !== '' && cell.trim() !== ''

function judgeShape({ line, cells, problem, beginning }: TableRecord, columns: number): Row | undefined {
  if (problem !== undefined) return rejected(line, problem, beginning())
  if (cells.length === columns) return undefined
  const message = `must have ${columns} columns, as the header has, not ${cells.length}`
  return rejected(line, { field: 'row', code: 'columns', message }, beginning())
}

const ownRow = ({ line, cells }: TableRecord): Row => ({ line, kind: 'movie', ...ownCells(cells) })

function rowReader(uses: readonly (Use | 'ignored' | undefined)[], { values }: Settings) {
  const columns = uses.flatMap((use, index): Column[] =>
    use === undefined || use === 'ignored' ? [] : [{ index, use }],
  )
  return ({ line, cells }: TableRecord): Row => {
    const raw: RawRow = {}
    for (const { index, use } of columns) put(raw, use, cells[index])
    if (isOtherKind(raw.kind)) return { line, kind: 'not_movie', fields: {}, problems: [] }
    return { line, kind: 'movie', ...readValues(raw, values) }
  }
}
