import { type Static, Type } from '@sinclair/typebox'
import type { NewMovie } from '../movies/columns'
import { genresFrom, newMovie, optional, titleAndYear, yearIsKnown } from '../movies/model'
import { runtimeField } from '../movies/runtime'
import { nullable, object, problemsOf } from '../rules/objects'
import { codeOf } from './codes'
import { otherEncoding } from './decode'
import { type MovieField, movieFields, type Row, type RowProblem } from './row'

const ImportedMovie = object(
  {
    ...titleAndYear,
    runtime: Type.Optional(nullable(runtimeField)),
    genres: Type.Optional(genresFrom(0)),
    ...optional,
  },
  yearIsKnown,
)

/** A row that follows all rules. */
export type Candidate = {
  readonly row: Row
  readonly movie: NewMovie
  /** The fields that the row has a value for: what an update sets. */
  readonly filled: readonly MovieField[]
}
export type Rejection = { readonly row: Row; readonly problems: readonly RowProblem[] }
export type Judged = Candidate | Rejection | NotMovie
export type NotMovie = { readonly row: Row; readonly isNotMovie: true }

/** Judges a row by the rules of POST, except that it may lack runtime and genres unless `required`. */
export function judge(row: Row, required: readonly MovieField[]): Judged {
  if (row.kind === 'not_movie') return { row, isNotMovie: true }
  const { fields } = row
  const filled = movieFields.filter((field) => isFilled(fields[field]))
  const isComplete = row.problems.length === 0 && required.every((field) => filled.includes(field))
  if (isComplete && followsRules(fields)) return { row, movie: newMovie(fields), filled }
  return { row, problems: [...row.problems, ...ruleProblems(row, required)] }
}

const followsRules = (fields: unknown): fields is Static<typeof ImportedMovie> =>
  problemsOf(ImportedMovie, fields, UNKNOWN) === undefined
const UNKNOWN = 'is not a field of a movie'

/** An empty list is no value to put in the place of another. */
const isFilled = (value: unknown) =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)

/** One problem per field, and none where the reader has found one already. */
function ruleProblems({ fields, problems }: Row, required: readonly MovieField[]): RowProblem[] {
  if (problems.some(({ field }) => field === 'row')) return []
  const known = new Set<string>(problems.map(({ field }) => field))
  const messages = problemsOf(ImportedMovie, fields, UNKNOWN) ?? {}
  const found = movieFields.flatMap((field): RowProblem[] => {
    const message = messages[field]
    if (known.has(field) || message === undefined) return []
    // The year would have come from the date.
    if (field === 'year' && fields.year === undefined && (known.has('release_date') || messages.release_date))
      return []
    return [
      {
        field,
        code: codeOf(message),
        message: ENCODING_MISTAKE.test(message) ? `${message}; ${otherEncoding}` : message,
      },
    ]
  })
  for (const field of required)
    if (!known.has(field) && messages[field] === undefined && !isFilled(fields[field]))
      found.push({ field, code: 'missing', message: 'must be provided (--require)' })
  return found
}

/** Texts that POST refuses too, but that files have because of their encoding. */
const ENCODING_MISTAKE = /NUL character$|lone surrogate$/

const MAX_TITLE = 500

/** A namesake's title with its year, if a title may be that long. */
export function suffixed({ title, year }: NewMovie): string | undefined {
  const text = `${title} (${year})`
  return [...text].length > MAX_TITLE ? undefined : text
}
