import { type Static, Type } from '@sinclair/typebox'
import { externalIdProblem, imdbIdProblem, normalImdbId } from '../movies/model'
import { codePoints, dateProblem, integerParameter, parameter, parseId } from '../rules/fields'
import { pageParameters, parsePage, parseSort, type Sort, sortParameter, wordParameter } from '../rules/lists'
import { object, type Rule } from '../rules/objects'

const MAX_TEXT = 500
/** Each word is checked in every movie that matches the others. */
const MAX_WORDS = 32

/** A search text with a limit on its different words. */
const searchText =
  (what: string, split: (text: string) => ReadonlySet<string>): Rule =>
  (value) => {
    const text = String(value)
    if (codePoints(text) > MAX_TEXT) return `must not be more than ${MAX_TEXT} characters long`
    if (split(text).size > MAX_WORDS) return `must not hold more than ${MAX_WORDS} different ${what}`
  }

// As `search_text` of the database reads them (decision 7): letters and digits, or a symbol. That one also parts
// text next to a symbol, and Chinese and Japanese, which doesn't matter for either question here.
const WORD = /(?![\u02b9-\u02bf\u02c8\u2044])(?:[\p{L}\p{N}\p{M}]+|[$+]|[^\p{ASCII}\p{P}\p{Z}\p{Cc}\p{Cf}])/gu
const differentWords = (text: string) =>
  new Set(
    text
      .normalize('NFKC')
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[\u0300-\u036f\u180b-\u180d\ufe00-\ufe0f]/gu, '')
      .match(WORD),
  )

/** Each genre once, in its first spelling, keyed by its folded form. */
function differentGenres(text: string): ReadonlyMap<string, string> {
  const genres = new Map<string, string>()
  for (const genre of text.split(',').map((part) => part.trim())) {
    const key = genre.normalize('NFC').toLowerCase()
    if (key !== '' && !genres.has(key)) genres.set(key, genre)
  }
  return genres
}

/** The problem with a search text, for its sender. */
export const wordsProblem = searchText('words', differentWords)
const words = parameter({ type: 'string', maxLength: MAX_TEXT }, wordsProblem)
const genreList = parameter(
  { type: 'string', maxLength: MAX_TEXT },
  searchText('genres', (text) => new Set(differentGenres(text).keys())),
)
const day = parameter({ type: 'string', format: 'date' }, dateProblem)
const creator = parameter({ type: 'string' }, (value) =>
  value === 'me' || parseId(String(value)) !== undefined ? undefined : 'must be the id of a user, or me',
)
const year = integerParameter(0, 9999)
const minutes = integerParameter(0, 100_000)

const movieSortKeys = ['id', 'title', 'year', 'runtime', 'release_date'] as const
export type MovieSortKey = (typeof movieSortKeys)[number]

const filters = {
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

export const MovieListQuery = object({ ...filters, sort: Type.Optional(sortParameter(movieSortKeys)) })
/** Favourites can also be sorted by when they were added. */
export const FavouriteListQuery = object({
  ...filters,
  sort: Type.Optional(sortParameter(['added', ...movieSortKeys])),
})

/** Whether a query is about the caller. */
export const isPersonal = ({ created_by, favourite, include }: Readonly<Record<string, unknown>>) =>
  created_by === 'me' || favourite !== undefined || include !== undefined

export type MovieFilters = {
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
  sort: Sort<Key>
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
  return {
    filters: {
      title: worded(query.title),
      genres: listed(query.genres),
      genresAny: listed(query.genres_any),
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
    sort: parseSort(sort, keys) ?? standard,
    ...parsePage(query),
  }
}

/** A text without any word counts as not given. */
const worded = (text = '') => (differentWords(text).size === 0 ? undefined : text)

const numberOf = (value: string | undefined) => (value === undefined ? undefined : Number(value))

function listed(text = ''): string[] | undefined {
  const genres = [...differentGenres(text).values()]
  return genres.length === 0 ? undefined : genres
}
