import { type Static, Type } from '@sinclair/typebox'
import { externalIdProblem, imdbIdProblem, normalImdbId } from '../movies/model'
import { dateProblem, integerParameter, parameter, parseId } from '../rules/fields'
import { pageParameters, parsePage, parseSort, type Sort, sortParameter, wordParameter } from '../rules/lists'
import { type ObjectRule, object } from '../rules/objects'
import { genreList, hasWords, listedGenres, words } from './words'

const day = parameter({ type: 'string', format: 'date' }, dateProblem)
const creator = parameter({ type: 'string' }, (value) =>
  value === 'me' || parseId(String(value)) !== undefined ? undefined : 'must be the id of a user, or me',
)
const year = integerParameter(0, 9999)
const minutes = integerParameter(0, 100_000)

const movieSortKeys = ['id', 'title', 'year', 'runtime', 'release_date'] as const
export type MovieSortKey = (typeof movieSortKeys)[number]

const filters = {
  q: Type.Optional(words),
  title: Type.Optional(words),
  genres: Type.Optional(genreList),
  genres_any: Type.Optional(genreList),
  director: Type.Optional(words),
  cast: Type.Optional(words),
  year: Type.Optional(year),
  year_from: Type.Optional(year),
  year_to: Type.Optional(year),
  runtime_from: Type.Optional(minutes),
  runtime_to: Type.Optional(minutes),
  release_date: Type.Optional(day),
  release_date_from: Type.Optional(day),
  release_date_to: Type.Optional(day),
  imdb_id: Type.Optional(parameter({ type: 'string' }, imdbIdProblem)),
  external_id: Type.Optional(parameter({ type: 'string' }, externalIdProblem)),
  created_by: Type.Optional(creator),
  favourite: Type.Optional(wordParameter(['true', 'false'])),
  include: Type.Optional(wordParameter(['favourite'])),
  ...pageParameters,
}

const relevanceOfQ: ObjectRule = ({ q, sort }): Readonly<Record<string, string>> =>
  sort === 'relevance' && readQ(typeof q === 'string' ? q : undefined) === undefined
    ? { sort: 'can be relevance only with q, a text to look for' }
    : {}

export const MovieListQuery = object(
  { ...filters, sort: Type.Optional(sortParameter(movieSortKeys, ['relevance'])) },
  relevanceOfQ,
)
/** Favourites can also be sorted by when they were added. */
export const FavouriteListQuery = object(
  { ...filters, sort: Type.Optional(sortParameter(['added', ...movieSortKeys], ['relevance'])) },
  relevanceOfQ,
)

/** Whether a query is about the caller. */
export const isPersonal = ({ created_by, favourite, include }: Readonly<Record<string, unknown>>) =>
  created_by === 'me' || favourite !== undefined || include !== undefined

export type MovieFilters = {
  q?: string
  title?: string
  genres?: string[]
  genresAny?: string[]
  director?: string
  cast?: string
  year?: number
  yearFrom?: number
  yearTo?: number
  runtimeFrom?: number
  runtimeTo?: number
  releaseDate?: string
  releaseDateFrom?: string
  releaseDateTo?: string
  imdbId?: string
  externalId?: string
  createdBy?: number
  favouriteOf?: number
  notFavouriteOf?: number
}
/** Rows of one page, and the total number. */
export type Page<T> = { readonly rows: readonly T[]; readonly total: number }
export type MovieList<Key extends string> = {
  filters: MovieFilters
  /** The user for whom each row says whether the movie is a favourite. */
  marksFavouritesOf?: number
  sort: Sort<Key | 'relevance'>
  page: number
  pageSize: number
}

export const dependsOnFavourites = ({ filters, marksFavouritesOf }: MovieList<string>) =>
  (filters.favouriteOf ?? filters.notFavouriteOf ?? marksFavouritesOf) !== undefined

export const parseMovieList = (query: Static<typeof MovieListQuery>, me: number | undefined) =>
  parseList(query, me, { key: 'id', descending: false }, movieSortKeys)

export const parseFavouriteList = (query: Static<typeof FavouriteListQuery>, me: number) =>
  parseList(query, me, { key: 'added', descending: true }, ['added', ...movieSortKeys])

function parseList<Key extends string>(
  query: Static<typeof MovieListQuery>,
  me: number | undefined,
  standard: Sort<Key>,
  keys: readonly Key[],
): MovieList<Key> {
  const { imdb_id, created_by, favourite, sort } = query
  const q = readQ(query.q)
  return {
    filters: {
      q,
      title: worded(query.title),
      genres: listedGenres(query.genres),
      genresAny: listedGenres(query.genres_any),
      director: worded(query.director),
      cast: worded(query.cast),
      year: numberOf(query.year),
      yearFrom: numberOf(query.year_from),
      yearTo: numberOf(query.year_to),
      runtimeFrom: numberOf(query.runtime_from),
      runtimeTo: numberOf(query.runtime_to),
      releaseDate: query.release_date,
      releaseDateFrom: query.release_date_from,
      releaseDateTo: query.release_date_to,
      imdbId: imdb_id && normalImdbId(imdb_id),
      externalId: query.external_id,
      createdBy: created_by === 'me' ? me : created_by === undefined ? undefined : parseId(created_by),
      favouriteOf: favourite === 'true' ? me : undefined,
      notFavouriteOf: favourite === 'false' ? me : undefined,
    },
    marksFavouritesOf: query.include === undefined ? undefined : me,
    sort: parseSort(sort, keys) ?? (q === undefined ? standard : byRelevance),
    ...parsePage(query),
  }
}

/** A text without any word counts as not given. */
const worded = (text = '') => (hasWords(text) ? text : undefined)

/** In `q`, `&` is a word like any other. */
const readQ = (text?: string) => worded(text?.replaceAll('&', ' and '))

const numberOf = (value: string | undefined) => (value === undefined ? undefined : Number(value))

const byRelevance = { key: 'relevance' as const, descending: false }
