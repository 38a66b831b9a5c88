import { type Static, Type } from '@sinclair/typebox'
import { dateProblem, integerProblem, isCalendarDate, listProblem, text, textProblem } from '../rules/fields'
import { field, isMissing, nullable, type ObjectRule, object, type Rule } from '../rules/objects'
import { shown } from '../rules/suggest'
import { formatRuntime, parseRuntime, runtimeField } from './runtime'

const FIRST_YEAR = 1888
const lastYear = () => new Date().getUTCFullYear() + 5

const unpadded: Rule = (value) =>
  typeof value === 'string' && value.trim() !== value ? 'must not start or end with white space' : undefined

const yearProblem: Rule = (value) => integerProblem(value, FIRST_YEAR, lastYear())
const yearOf = (date: string) => Number(date.slice(0, 4))

const genreProblem: Rule = (value) =>
  textProblem(value, 1, 50) ?? (String(value).includes(',') ? 'must not contain a comma' : undefined)

function repeated(values: unknown, key: (value: string) => string): string | undefined {
  const seen = new Set<string>()
  for (const value of Array.isArray(values) ? values : []) {
    const known = key(String(value))
    if (seen.has(known)) return `must not contain duplicates, and ${shown(String(value))} is one`
    seen.add(known)
  }
}

const title = text(1, 500, unpadded)
const year = field<number>({ type: 'integer', minimum: FIRST_YEAR }, yearProblem)
const genres = field<string[]>(
  { type: 'array', minItems: 1, maxItems: 5, items: { type: 'string', minLength: 1, maxLength: 50 } },
  (value) =>
    listProblem(value, 1, 5, genreProblem) ??
    repeated(value, (genre) => genre.normalize('NFC').toLowerCase()),
)
const director = text(1, 500)
const cast = field<string[]>(
  { type: 'array', maxItems: 100, items: { type: 'string', minLength: 1, maxLength: 200 } },
  (value) =>
    listProblem(value, 0, 100, (name) => textProblem(name, 1, 200)) ?? repeated(value, (name) => name),
)
const releaseDate = field<string>(
  { type: 'string', format: 'date' },
  (value) =>
    dateProblem(value) ??
    (yearProblem(yearOf(String(value))) === undefined
      ? undefined
      : `must be in a year from ${FIRST_YEAR} to ${lastYear()}`),
)
const synopsis = text(1, 10_000)

const optional = {
  director: Type.Optional(nullable(director)),
  cast: Type.Optional(nullable(cast)),
  release_date: Type.Optional(nullable(releaseDate)),
  synopsis: Type.Optional(nullable(synopsis)),
}

/** The year and the release date of one film agree; each alone is judged by its own field. */
const yearAgrees: ObjectRule = ({ year, release_date }): Readonly<Record<string, string>> =>
  isMissing(year) || !isCalendarDate(release_date) || year === yearOf(release_date)
    ? {}
    : { year: `must be the year of the release date, ${yearOf(release_date)}` }

const yearIsKnown: ObjectRule = (movie) =>
  isMissing(movie.year) && isMissing(movie.release_date)
    ? { year: 'must be provided, unless release_date is' }
    : yearAgrees(movie)

/** Judges the film that the patch would make; release_date alone moves the year along. */
const yearAgreesOnceMerged: ObjectRule = (patch, movie) =>
  yearAgrees({ release_date: movie?.releaseDate, year: movie?.year, ...yearMovedAlong(patch) })

const yearMovedAlong = <P extends { year?: unknown; release_date?: unknown }>(patch: P) =>
  isCalendarDate(patch.release_date) ? { year: yearOf(patch.release_date), ...patch } : patch

export const MovieInput = object(
  { title, year: Type.Optional(nullable(year)), runtime: runtimeField, genres, ...optional },
  yearIsKnown,
)
export const MoviePatch = object(
  {
    title: Type.Optional(title),
    year: Type.Optional(year),
    runtime: Type.Optional(runtimeField),
    genres: Type.Optional(genres),
    ...optional,
  },
  yearAgreesOnceMerged,
)

/** A film's own content, as the database keeps it. */
export type MovieContent = {
  title: string
  year: number
  runtime: number
  genres: string[]
  director: string | null
  cast: string[] | null
  releaseDate: string | null
  synopsis: string | null
}
export type Creator = { id: number; name: string; username: string | null }
export type Movie = MovieContent & { id: number; createdBy: Creator; version: number }

/** What a valid body says the film is. */
export function newMovie(body: Static<typeof MovieInput>): MovieContent {
  const { release_date = null } = body
  return {
    title: body.title,
    year: body.year ?? yearOf(release_date ?? ''),
    runtime: parseRuntime(body.runtime),
    genres: body.genres,
    director: body.director ?? null,
    cast: body.cast ?? null,
    releaseDate: release_date,
    synopsis: body.synopsis ?? null,
  }
}

/** The columns that a valid patch changes: JSON Merge Patch (RFC 7396), so null clears. */
export function movieChanges(patch: Static<typeof MoviePatch>): Partial<MovieContent> {
  const { release_date, runtime, ...same } = yearMovedAlong(patch)
  const changes: Partial<MovieContent> = same
  if (runtime !== undefined) changes.runtime = parseRuntime(runtime)
  if (release_date !== undefined) changes.releaseDate = release_date
  return changes
}

export type MovieJson = ReturnType<typeof movieJson>

/** A film as the API shows it: keys in the contract's order (section 3), what is not set left out. */
export function movieJson(movie: Movie) {
  return {
    id: movie.id,
    title: movie.title,
    year: movie.year,
    runtime: formatRuntime(movie.runtime),
    genres: movie.genres,
    director: movie.director ?? undefined,
    cast: movie.cast ?? undefined,
    release_date: movie.releaseDate ?? undefined,
    synopsis: movie.synopsis ?? undefined,
    created_by: {
      id: movie.createdBy.id,
      name: movie.createdBy.name,
      username: movie.createdBy.username ?? undefined,
    },
    version: movie.version,
  }
}
