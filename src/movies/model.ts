import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { dateProblem, integerProblem, listProblem, text, textProblem } from '../rules/fields'
import { field, isMissing, MISSING, nullable, type ObjectRule, object, type Rule } from '../rules/objects'
import { quoted } from '../rules/suggest'
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
    if (seen.has(known)) return `must not contain duplicates, and ${quoted(String(value))} is one`
    seen.add(known)
  }
}

// A pattern, because URL.canParse ignores spaces and line breaks.
const WEB_ADDRESS = /^https?:\/\/[^\p{Cc}\s\\]+$/iu
const posterProblem: Rule = (value) =>
  WEB_ADDRESS.test(String(value)) && URL.canParse(String(value))
    ? undefined
    : 'must be an http or https URL, such as "https://example.com/poster.jpg"'

const IMDB_ID = /^tt(\d{7,10})$/
/** Synthetic ids, for movies without an IMDb id, start here. */
const IMDB_IDS_END = 90_000_000
export const imdbIdProblem: Rule = (value) => {
  const [, digits] = IMDB_ID.exec(String(value)) ?? []
  if (typeof value !== 'string' || digits === undefined)
    return 'must be "tt" and 7 to 10 digits, such as "tt3521164"'
  if (Number(digits) >= IMDB_IDS_END) return `must be below tt${IMDB_IDS_END}`
}
/** IMDb's spelling: the number in at least 7 digits. */
export const normalImdbId = (id: string) => `tt${String(Number(id.slice(2))).padStart(7, '0')}`

const externalIdForm: Rule = (value) => {
  if (/\p{Cc}/u.test(String(value))) return 'must not contain control characters'
  if (/[/\\]/.test(String(value))) return 'must not contain a slash or a backslash'
  if (value === '.' || value === '..') return 'must not be "." or "..", which mean folders in a path'
  return unpadded(value)
}
export const externalIdProblem: Rule = (value) => textProblem(value, 1, 200) ?? externalIdForm(value)

const title = text(1, 500, unpadded)
const year = field<number>({ type: 'integer', minimum: FIRST_YEAR }, yearProblem)
const genreKey = (genre: string) => genre.normalize('NFC').toLowerCase()
export const genresFrom = (minItems: number) =>
  field<string[]>(
    { type: 'array', minItems, maxItems: 5, items: { type: 'string', minLength: 1, maxLength: 50 } },
    (value) => listProblem(value, minItems, 5, genreProblem) ?? repeated(value, genreKey),
  )
const genres = genresFrom(1)
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

/** Only an imported movie can lack a runtime, so no request may clear it. */
type NullableColumn = {
  [Name in keyof MovieContent]: null extends MovieContent[Name] ? Name : never
}[keyof Omit<MovieContent, 'runtime'>]

export const optional = {
  director: Type.Optional(nullable(text(1, 500))),
  cast: Type.Optional(nullable(cast)),
  release_date: Type.Optional(nullable(releaseDate)),
  synopsis: Type.Optional(nullable(text(1, 10_000))),
  poster: Type.Optional(nullable(text(1, 2000, posterProblem))),
  imdb_id: Type.Optional(nullable(field<string>({ type: 'string', pattern: IMDB_ID.source }, imdbIdProblem))),
  external_id: Type.Optional(nullable(text(1, 200, externalIdForm))),
} satisfies Record<NullableColumn, TSchema>

export const yearIsKnown: ObjectRule = (movie): Readonly<Record<string, string>> =>
  isMissing(movie.year) && isMissing(movie.release_date)
    ? { year: 'must be provided, unless release_date is' }
    : {}

export const titleAndYear = { title, year: Type.Optional(nullable(year)) }
export const MovieInput = object({ ...titleAndYear, runtime: runtimeField, genres, ...optional }, yearIsKnown)
export const MoviePatch = object({
  title: Type.Optional(title),
  year: Type.Optional(year),
  runtime: Type.Optional(runtimeField),
  genres: Type.Optional(genres),
  ...optional,
})

export const NOT_A_USER = 'must be the id of a user'
export const NewCreator = object({
  id: field<number>({ type: 'integer', minimum: 1 }, (value) =>
    isMissing(value) ? MISSING : Number.isSafeInteger(value) && Number(value) > 0 ? undefined : NOT_A_USER,
  ),
})

export type Creator = { id: number; name: string; username: string | null }
export type Movie = NewMovie & { id: number; createdBy: Creator; version: number }

type Input = Omit<Static<typeof MovieInput>, 'runtime' | 'genres'>
/** Only an imported movie can lack these. */
type Unsure = { runtime?: string | null; genres?: string[] }

/** The movie that a valid body describes. */
export function newMovie({ year, runtime, genres = [], imdb_id, ...body }: Input & Unsure): NewMovie {
  return {
    ...body,
    year: year ?? yearOf(body.release_date ?? ''),
    runtime: isMissing(runtime) ? null : parseRuntime(runtime),
    genres,
    imdb_id: imdb_id && normalImdbId(imdb_id),
  }
}

/** The columns that a valid patch changes. JSON Merge Patch (RFC 7396): null clears. */
export function movieChanges({
  runtime,
  imdb_id,
  ...same
}: Static<typeof MoviePatch>): Partial<MovieContent> {
  return {
    ...same,
    ...(runtime === undefined ? {} : { runtime: parseRuntime(runtime) }),
    ...(imdb_id === undefined ? {} : { imdb_id: imdb_id && normalImdbId(imdb_id) }),
  }
}

export type MovieJson = ReturnType<typeof movieJson>

/** A movie in the API's form: keys in the contract's order (section 3), unset fields left out. */
export function movieJson({ id, createdBy, version, ...content }: Movie) {
  const { name, username } = createdBy
  return {
    id,
    ...contentJson(content),
    created_by: { id: createdBy.id, name, username: username ?? undefined },
    version,
  }
}

export const isSameContent = (a: NewMovie, b: NewMovie) =>
  JSON.stringify(contentJson(a)) === JSON.stringify(contentJson(b))

const contentJson = (movie: NewMovie) =>
  ({
    title: movie.title,
    year: movie.year,
    runtime: formatRuntime(movie.runtime ?? null),
    genres: movie.genres,
    director: movie.director ?? undefined,
    cast: movie.cast ?? undefined,
    release_date: movie.release_date ?? undefined,
    synopsis: movie.synopsis ?? undefined,
    poster: movie.poster ?? undefined,
    imdb_id: movie.imdb_id ?? undefined,
    external_id: movie.external_id ?? undefined,
  }) satisfies Record<keyof MovieContent, unknown>
