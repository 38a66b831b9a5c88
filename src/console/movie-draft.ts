import type { Text } from './form-text'
import type { Shown } from './tile'
import type { Movie } from './types'

/** A movie as the form has it; empty fields are null or [], so that a change can clear them. */
export type Draft = Record<FieldName, unknown>
export const FIELDS = {
  title: 'Title',
  year: 'Year',
  runtime: 'Runtime',
  genres: 'Genres',
  poster: 'Poster address',
  imdb_id: 'IMDb id',
  external_id: 'Your own id',
  director: 'Director',
  cast: 'Cast',
  release_date: 'Release date',
  synopsis: 'Synopsis',
}
export type FieldName = keyof typeof FIELDS
const isFieldName = (name: string): name is FieldName => name in FIELDS
export const fieldNames = Object.keys(FIELDS).filter(isFieldName)

const listOf = (text = '', separator: RegExp) =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter(Boolean)
const whole = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : text)
const orNull = (text = '') => (text.trim() === '' ? null : text.trim())

export function draftOf(text: Text): Draft {
  const year = orNull(text.year)
  const runtime = orNull(text.runtime)
  const cast = listOf(text.cast, /\n/)
  return {
    title: text.title?.trim() ?? '',
    year: year === null ? null : whole(year),
    runtime: runtime === null ? null : /^\d+$/.test(runtime) ? `${Number(runtime)} mins` : runtime,
    genres: listOf(text.genres, /,/),
    poster: orNull(text.poster),
    imdb_id: orNull(text.imdb_id),
    external_id: orNull(text.external_id),
    director: orNull(text.director),
    cast: cast.length > 0 ? cast : null,
    release_date: orNull(text.release_date),
    synopsis: orNull(text.synopsis),
  }
}

export const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

/** A movie in the form, which two people may have changed. */
export type Edited = {
  /** The movie that the form was filled from. */
  read: Movie
  /** The draft before anything was typed, which may be written otherwise than the movie. */
  before: Draft
  mine: Draft
}
export const isUntouched = ({ before, mine }: Edited, name: FieldName) => same(before[name], mine[name])

/** The fields in which what is saved now differs from the form, or has changed behind it. */
export const differing = (edited: Edited, theirs: Movie) =>
  fieldNames.filter(
    (name) => !same((isUntouched(edited, name) ? edited.read : edited.mine)[name], theirs[name]),
  )

/** The body to send: only the changed fields of an existing movie, the filled-in ones of a new movie. */
export const changesOf = (draft: Draft, before: Draft | undefined) =>
  Object.fromEntries(
    fieldNames
      .filter((name) => (before ? !same(draft[name], before[name]) : draft[name] !== null))
      .map((name) => [name, draft[name]]),
  )

export const shown = (value: unknown): string =>
  Array.isArray(value) ? (value.length > 0 ? value.join(', ') : '—') : String(value ?? '—')

export const minutesOf = (runtime: string | undefined) =>
  runtime === undefined ? '' : String(Number.parseInt(runtime, 10))

const thisYear = new Date().getFullYear()

/** What the tile shows: the draft, or the movie until something is typed. */
export function tileOf(draft: Draft | undefined, movie: Movie | undefined): Shown {
  const { title, year, runtime, genres, poster, release_date } = draft ?? movie ?? {}
  const released = Number(String(release_date ?? '').slice(0, 4))
  return {
    title: typeof title === 'string' && title !== '' ? title : 'A title',
    year: typeof year === 'number' ? year : released || thisYear,
    genres: Array.isArray(genres) ? genres.map(String) : [],
    ...(typeof runtime === 'string' && { runtime }),
    ...(typeof poster === 'string' && { poster }),
  }
}
