import { quoted } from '../rules/suggest'
import { type DateFormat, readDate } from './dates'
import { readJoined, readList } from './lists'
import { type MovieField, movieFields, type ReasonCode, type Row, type RowProblem } from './row'
import { readRuntime } from './runtimes'
import { articleInFront, isNoTitle, isNothing, textOf } from './texts'

/** What a file holds for each field, as it stands there. */
export type Raw = { [Field in MovieField]?: unknown }
export type ValueOptions = {
  readonly dateFormat?: DateFormat
  readonly articles: 'keep' | 'front'
  readonly extraGenres: 'reject' | 'cut'
}
type Values = { readonly fields: Raw; readonly problems: RowProblem[] }

/** The values in the API's form, and those that can't be read or would have to be guessed. */
export function readValues(raw: Raw, options: ValueOptions): Pick<Row, 'fields' | 'problems'> {
  const values: Values = { fields: {}, problems: [] }
  for (const field of movieFields) {
    const value = raw[field]
    if (value !== undefined && value !== null) readers[field](value, values, options)
  }
  return values
}

type Reader = (value: unknown, values: Values, options: ValueOptions) => void

const MAX_GENRES = 5

const readers: Record<MovieField, Reader> = {
  title(value, values, { articles }) {
    const text = Array.isArray(value) ? readJoined(value) : textOf(value)
    if (text === undefined) return unreadable(values, 'title', 'type', 'a text', value)
    if (!isNoTitle(text)) values.fields.title = articles === 'front' ? articleInFront(text) : text
  },
  year(value, values) {
    const text = textOf(value)
    if (text !== undefined && isNothing(text)) return
    const [, bracketed, plain] = YEAR.exec(text ?? '') ?? []
    const year = bracketed ?? plain
    if (year === undefined) return unreadable(values, 'year', 'type', 'a year such as 1995', value)
    values.fields.year = Number(year)
  },
  runtime(value, values) {
    const text = textOf(value)
    if (text !== undefined && isNothing(text)) return
    const minutes = readRuntime(text ?? '')
    if (minutes === undefined) return unreadable(values, 'runtime', 'type', RUNTIME_FORMS, value)
    if (minutes > 0) values.fields.runtime = `${minutes} mins`
  },
  genres(value, values, { extraGenres }) {
    const list = readList(value)
    if (list === undefined) return unreadable(values, 'genres', 'type', 'a list of texts', value)
    const genres = withoutRepeated(list, (genre) => genre.normalize('NFC').toLowerCase())
    if (genres.length > 0) values.fields.genres = extraGenres === 'cut' ? genres.slice(0, MAX_GENRES) : genres
  },
  director: joined('director'),
  cast(value, values) {
    const list = readList(value)
    if (list === undefined) return unreadable(values, 'cast', 'type', 'a list of names', value)
    if (list.length > 0) values.fields.cast = withoutRepeated(list, (name) => name)
  },
  release_date(value, values, { dateFormat }) {
    const text = textOf(value)
    if (text !== undefined && isNothing(text)) return
    const found = readDate(text ?? '', dateFormat)
    if (found === undefined) return unreadable(values, 'release_date', 'date', DATE_FORMS, value)
    if ('date' in found) values.fields.release_date = found.date
    else if (values.fields.year === undefined && !hasProblem(values, 'year')) values.fields.year = found.year
  },
  synopsis: plain('synopsis'),
  poster: plain('poster'),
  imdb_id: plain('imdb_id'),
  external_id: plain('external_id'),
}

const YEAR = /^(?:\((\d{4})\)|(-?\d{1,9})(?:\.0+)?)$/
const RUNTIME_FORMS = 'minutes, such as 97, "97 min", "1h 37m" or "01:37:00"'
const DATE_FORMS = 'a date such as 1998-06-12 or "June 12, 1998", or in the form given by --date-format'

function plain(field: MovieField): Reader {
  return (value, values) => {
    const text = Array.isArray(value) ? readJoined(value) : textOf(value)
    if (text === undefined) unreadable(values, field, 'type', 'a text', value)
    else if (!isNothing(text)) values.fields[field] = text
  }
}

function joined(field: MovieField): Reader {
  return (value, values) => {
    const text = readJoined(value)
    if (text === undefined) unreadable(values, field, 'type', 'a text or a list of names', value)
    else if (!isNothing(text)) values.fields[field] = text
  }
}

/** Each once, where and as it first stands. */
function withoutRepeated(list: readonly string[], key: (text: string) => string): string[] {
  const seen = new Set<string>()
  return list.filter((text) => seen.size < seen.add(key(text)).size)
}

const hasProblem = ({ problems }: Values, field: MovieField) => problems.some((each) => each.field === field)

function unreadable(values: Values, field: MovieField, code: ReasonCode, right: string, value: unknown) {
  const found = typeof value === 'string' ? value : `${JSON.stringify(value)}`
  values.problems.push({ field, code, message: `must be ${right}, not ${quoted(found)}` })
}
