import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { dateProblem, integerProblem, listProblem, text, textProblem } from '../rules/fields'
import { field, isMissing, nullable, type ObjectRule, object, type Rule } from '../rules/objects'
import { shown } from '../rules/suggest'
import type { MovieContent, NewMovie } from './columns'
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

type NullableColumn = {
  [Name in keyof MovieContent]: null extends MovieContent[Name] ? Name : never
}[keyof MovieContent]

const optional = {
  director: Type.Optional(nullable(text(1, 500))),
  cast: Type.Optional(nullable(cast)),
  release_date: Type.Optional(nullable(releaseDate)),
  synopsis: Type.Optional(nullable(text(1, 10_000))),
} satisfies Record<NullableColumn, TSchema>

const yearIsKnown: ObjectRule = (movie): Readonly<Record<string, string>> =>
  isMissing(movie.year) && isMissing(movie.release_date)
    ? { year: 'must be provided, unless release_date is' }
    : {}

export const MovieInput = object(
  { title, year: Type.Optional(nullable(year)), runtime: runtimeField, genres, ...optional },
  yearIsKnown,
)
export const MoviePatch = object({
  title: Type.Optional(title),
  year: Type.Optional(year),
  runtime: Type.Optional(runtimeField),
  genres: Type.Optional(genres),
  ...optional,
})

export type Creator = { id: number; name: string; username: string | null }
export type Movie = NewMovie & { id: number; createdBy: Creator; version: number }

/** What a valid body says that the movie is. */
export function newMovie({ year, runtime, ...body }: Static<typeof MovieInput>): NewMovie {
  return { ...body, year: year ?? yearOf(body.release_date ?? ''), runtime: parseRuntime(runtime) }
}

/** The columns that a valid patch changes: JSON Merge Patch (RFC 7396), so null clears. */
export function movieChanges({ runtime, ...same }: Static<typeof MoviePatch>): Partial<MovieContent> {
  return runtime === undefined ? same : { ...same, runtime: parseRuntime(runtime) }
}

export type MovieJson = ReturnType<typeof movieJson>

/** A movie as the API shows it: keys in the contract's order (section 3), what is not set left out. */
export function movieJson({ id, createdBy, version, ...content }: Movie) {
  const { name, username } = createdBy
  return {
    id,
    ...contentJson(content),
    created_by: { id: createdBy.id, name, username: username ?? undefined },
    version,
  }
}

const contentJson = (movie: NewMovie) =>
  ({
    title: movie.title,
    year: movie.year,
    runtime: formatRuntime(movie.runtime),
    genres: movie.genres,
    director: movie.director ?? undefined,
    cast: movie.cast ?? undefined,
    release_date: movie.release_date ?? undefined,
    synopsis: movie.synopsis ?? undefined,
  }) satisfies Record<keyof MovieContent, unknown>
