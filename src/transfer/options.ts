import { UsageError } from '../errors'
import { didYouMean, quoted } from '../rules/suggest'
import { type OnDuplicate, onDuplicateModes } from './codes'
import { mappedTwice } from './columns'
import { type MovieField, movieFields, type ReadOptions } from './row'

export type ImportOptions = Partial<Pick<ReadOptions, 'format' | 'encoding' | 'dateFormat' | 'map'>> &
  Pick<ReadOptions, 'articles' | 'extraGenres'> & {
    readonly owner?: string
    readonly onDuplicate: OnDuplicate
    readonly require?: readonly MovieField[]
    readonly dryRun?: boolean
    readonly json?: boolean
    readonly rejectFile?: string
  }

type ImportOption = {
  readonly flags: string
  readonly about: string
  /** Throws a UsageError. */
  readonly parse?: (text: string, before: unknown) => unknown
  readonly choices?: readonly [initial: string, ...string[]]
}

export const importOptions: readonly ImportOption[] = [
  { flags: '--format <name>', about: 'the format of the file, if it is not recognised' },
  { flags: '--map <column=field>', about: 'what a column holds; may be given several times', parse: toMap },
  { flags: '--owner <user>', about: 'whose movies they are: id, email address or username' },
  { flags: '--dry-run', about: 'report what would happen, and write nothing' },
  { flags: '--json', about: 'print the report as JSON' },
  { flags: '--reject-file <file>', about: 'write the rejected rows to a new file' },
  { flags: '--on-duplicate <what>', about: 'what to do with a movie that exists', choices: onDuplicateModes },
  { flags: '--extra-genres <what>', about: 'what to do with more than 5 genres', choices: ['reject', 'cut'] },
  { flags: '--require <fields>', about: 'reject rows without these: runtime,genres', parse: toFields },
  { flags: '--encoding <name>', about: 'such as windows-1252, latin1, utf-16le' },
  { flags: '--date-format <order>', about: 'such as d/m/y or m/d/yy, for dates like 02/03/2001' },
  { flags: '--articles <where>', about: 'of "Matrix, The"', choices: ['keep', 'front'] },
]

function toField(text: string): MovieField {
  const field = movieFields.find((known) => known === text)
  if (field !== undefined) return field
  throw new UsageError(
    `${quoted(text)} is not a field of a movie${didYouMean(text, movieFields)}: ${movieFields.join(', ')}`,
  )
}

/** Given several times, it adds up. */
function toFields(text: string, before: unknown): readonly MovieField[] {
  const fields = text.split(',').map((name) => toField(name.trim()))
  const isRequired = (field: MovieField) =>
    fields.includes(field) || (Array.isArray(before) && before.includes(field))
  return movieFields.filter(isRequired)
}

/** The column may contain `=`. */
function toMap(text: string, before: unknown): ReadonlyMap<string, string> {
  const at = text.lastIndexOf('=')
  if (at < 1) throw new UsageError(`--map takes COLUMN=FIELD, not ${quoted(text)}`)
  const map = before instanceof Map ? before : new Map<string, string>()
  const column = text.slice(0, at)
  const field = toField(text.slice(at + 1))
  if (map.has(column)) throw mappedTwice(column, map.get(column) ?? '', field)
  return map.set(column, field)
}
