import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { favourites, movies } from '../db/schema'
import type { MovieFilters } from './query'
import { hasAllWords } from './relevance-store'

type Value = SQL | Placeholder
type Filter = { readonly isGeneral: boolean; readonly condition: (value: Value) => SQL }

/** Served well by one plan for all values: they are parameters of a statement that is planned once. */
const general = (condition: (value: Value) => SQL): Filter => ({ isGeneral: true, condition })
/** Planned for each value, as a plan for any year, date or user guesses badly. Such a value is a literal. */
const special = (condition: (value: Value) => SQL): Filter => ({ isGeneral: false, condition })

const genreKeys = (genres: Value) => sql`genre_keys(${sql.param(genres, movies.genres)}::text[])`
/** Under another name, as a list of favourites reads the table too. */
export const isFavouriteOf = (user: Value) =>
  sql`exists (select from ${favourites} as own where own.user_id = ${user} and own.movie_id = movies.id)`

/** Whether every word of a text is in the title. */
export const titleHasWords = (text: Value) => sql`${movies.titleWords} @@ search_query(${text})`

const filterTable: Readonly<Record<keyof MovieFilters, Filter>> = {
  q: general(hasAllWords),
  title: general(titleHasWords),
  genres: general((genres) => sql`${movies.genreKeys} @> ${genreKeys(genres)}`),
  genresAny: general((genres) => sql`${movies.genreKeys} && ${genreKeys(genres)}`),
  director: general((text) => sql`${movies.directorWords} @@ search_query(${text})`),
  cast: general((text) => sql`${movies.castWords} @@ search_query(${text})`),
  imdbId: general((id) => sql`${movies.imdb_id} = ${id}`),
  externalId: general((id) => sql`${movies.external_id} = ${id}`),
  year: special((year) => sql`${movies.year} = ${year}`),
  yearFrom: special((year) => sql`${movies.year} >= ${year}`),
  yearTo: special((year) => sql`${movies.year} <= ${year}`),
  runtimeFrom: special((minutes) => sql`${movies.runtime} >= ${minutes}`),
  runtimeTo: special((minutes) => sql`${movies.runtime} <= ${minutes}`),
  releaseDate: special((date) => sql`${movies.release_date} = ${date}`),
  releaseDateFrom: special((date) => sql`${movies.release_date} >= ${date}`),
  releaseDateTo: special((date) => sql`${movies.release_date} <= ${date}`),
  createdBy: special((user) => sql`${movies.createdBy} = ${user}`),
  favouriteOf: special(isFavouriteOf),
  notFavouriteOf: special((user) => sql`not ${isFavouriteOf(user)}`),
}

/** The given filters, by name. */
function given(filters: MovieFilters) {
  const values: Readonly<Record<string, unknown>> = filters
  return Object.entries(filterTable).flatMap(([name, filter]) =>
    values[name] === undefined ? [] : [{ name, value: values[name], ...filter }],
  )
}

/** Conditions for the given filters only: an absent filter leaves no trace in the plan. */
export const conditions = (filters: MovieFilters): SQL[] =>
  given(filters).map(({ name, value, isGeneral, condition }) =>
    condition(isGeneral ? sql.placeholder(name) : literal(value)),
  )

export const hasFilters = (filters: MovieFilters) => given(filters).length > 0

/** Names of the filters of a statement that is the same for all their values; undefined with a special one. */
export function shapeOf(filters: MovieFilters): string | undefined {
  const all = given(filters)
  return all.every(({ isGeneral }) => isGeneral) ? all.map(({ name }) => name).join() : undefined
}

/** A whole number or a date, which need no escaping; anything else is a mistake of ours. */
function literal(value: unknown): SQL {
  if (Number.isSafeInteger(value)) return sql.raw(`${value}`)
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) return sql.raw(`date '${value}'`)
  throw new TypeError('only whole numbers and dates are written into a statement')
}
