import { OperatorError, UsageError } from '../errors'
import type { Encoding } from './decode'
import type { Settings } from './settings'

type Known = { readonly start: string; readonly what: string; readonly fix: string }

const UNPACK = 'unpack it first'
// First bytes, as Latin-1.
const others: readonly Known[] = [
  { start: 'PK\x03\x04', what: 'a zip file', fix: UNPACK },
  { start: 'PK\x05\x06', what: 'an empty zip file', fix: UNPACK },
  { start: '\xd0\xcf\x11\xe0', what: 'an Excel workbook (xls)', fix: 'save it as CSV' },
  { start: 'BZh', what: 'a bzip2 file', fix: UNPACK },
  { start: '\xfd7zXZ', what: 'an xz file', fix: UNPACK },
  { start: '\x28\xb5\x2f\xfd', what: 'a zstd file', fix: UNPACK },
  { start: '7z\xbc\xaf', what: 'a 7z file', fix: UNPACK },
  { start: 'Rar!', what: 'a rar file', fix: UNPACK },
  { start: '\x1f\x8b', what: 'a gzip file within a gzip file', fix: UNPACK },
  { start: '%PDF', what: 'a PDF document', fix: 'import a table or JSON' },
  { start: 'SQLite format 3', what: 'an SQLite database', fix: 'export its table as CSV' },
  { start: 'PAR1', what: 'a Parquet file', fix: 'convert it to CSV' },
]

const UTF8_BOM = '\xef\xbb\xbf'
const BEGINNING = 2048

/** Throws if the file is of a kind that isn't read, or of another encoding; returns the length of its mark. */
export function refuseOthers(
  name: string,
  head: Buffer,
  { encoding, isEncodingGiven }: Pick<Settings, 'encoding' | 'isEncodingGiven'>,
): number {
  const start = head.toString('latin1', 0, BEGINNING)
  if (start === '') throw new OperatorError(`${name} is empty`)
  const known = others.find((each) => start.startsWith(each.start))
  if (known !== undefined) throw refusal(name, officeFile(start) ?? known)
  if (start.startsWith(UTF8_BOM)) {
    if (isEncodingGiven && encoding !== 'utf-8')
      throw new UsageError(`${name} is marked as UTF-8: leave out --encoding ${encoding}`)
    return refuseMarkup(name, start, UTF8_BOM.length)
  }
  return refuseMarkup(name, start, refuseUtf16(name, start, encoding))
}

const refusal = (name: string, { what, fix }: Pick<Known, 'what' | 'fix'>) =>
  new OperatorError(`${name} is ${what}, which can't be imported: ${fix}`)

function officeFile(start: string): Pick<Known, 'what' | 'fix'> | undefined {
  if (!start.startsWith('PK')) return undefined
  const fix = 'save it as CSV'
  if (/\[Content_Types\]\.xml|_rels\/|docProps\/|xl\//.test(start))
    return { what: 'an Excel workbook (xlsx)', fix }
  if (start.includes('opendocument.spreadsheet')) return { what: 'an OpenDocument spreadsheet (ods)', fix }
}

function refuseUtf16(name: string, start: string, encoding: Encoding): number {
  if (start.startsWith('\xfe\xff') || /^(?:\0[^\0]){2}/.test(start))
    throw refusal(name, { what: 'encoded in UTF-16 (big-endian)', fix: 'convert it to UTF-8' })
  const hasMark = start.startsWith('\xff\xfe')
  if (encoding === 'utf-16le') return hasMark ? 2 : 0
  if (hasMark || /^(?:[^\0]\0){2}/.test(start))
    throw new OperatorError(`${name} is encoded in UTF-16: import it with --encoding utf-16le`)
  return 0
}

function refuseMarkup(name: string, start: string, markLength: number): number {
  const text = start.slice(markLength).replaceAll('\0', '').trimStart()
  const fix = 'export it as CSV or JSON where it comes from'
  if (/^<(?:!doctype html|html|head|body)/i.test(text)) throw refusal(name, { what: 'an HTML page', fix })
  if (/^<[?!a-z]/i.test(text)) throw refusal(name, { what: 'an XML document', fix })
  return markLength
}
