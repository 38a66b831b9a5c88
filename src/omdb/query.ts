import { normalImdbId } from '../movies/model'
import { hasWords, wordsProblem } from '../search/words'

/** Parameters by their names in lower case, none empty. */
export type Parameters = ReadonlyMap<string, string>
export type Format = 'json' | 'xml'
/** Kinds of questions: an id, a title, a search, or none of them. */
export type Form = 'i' | 't' | 's' | 'none'

type Title = { readonly text: string; readonly year: number | undefined }
/** What is to be looked up. */
export type Question =
  | { readonly kind: 'id'; readonly id: number }
  | { readonly kind: 'imdbId'; readonly imdbId: string }
  | ({ readonly kind: 'title' } & Title)
  | ({ readonly kind: 'search'; readonly page: number } & Title)
  /** The answer is known without a lookup. */
  | { readonly kind: 'miss'; readonly miss: Miss }

/** Texts of answers without a movie, as recorded of OMDb. */
export const misses = {
  badId: 'Incorrect IMDb ID.',
  noSuchId: 'Error getting data.',
  noMovie: 'Movie not found!',
  noSeries: 'Series not found!',
  noSeason: 'Series or season not found!',
  noEpisode: 'Series or episode not found!',
  noWord: 'Too many results.',
} as const
export type Miss = keyof typeof misses

/** Ids of movies without an IMDb id: no id of IMDb is as high. */
export const FIRST_SYNTHETIC_ID = 90_000_000
const MAX_PAGE = 100

export const formatOf = (parameters: Parameters): Format =>
  parameters.get('r')?.toLowerCase() === 'xml' ? 'xml' : 'json'

export function formOf(parameters: Parameters): Form {
  if (parameters.has('s')) return 's'
  if (parameters.has('i')) return 'i'
  return parameters.has('t') ? 't' : 'none'
}

export const wantsFullPlot = (parameters: Parameters) => parameters.get('plot')?.toLowerCase() === 'full'

const miss = (miss: Miss): Question => ({ kind: 'miss', miss })

export function questionOf(parameters: Parameters): Question {
  switch (formOf(parameters)) {
    case 's':
      return searchOf(parameters)
    case 'i':
      return lookupOf(parameters.get('i') ?? '', parameters)
    case 't':
      return episodeOf(parameters) ?? titleOf(parameters)
    case 'none':
      return miss('badId')
  }
}

function lookupOf(text: string, parameters: Parameters): Question {
  const digits = /^tt(\d{7,10})$/i.exec(text)?.[1]
  if (digits === undefined) return miss('badId')
  const number = Number(digits)
  return (
    episodeOf(parameters) ??
    (number < FIRST_SYNTHETIC_ID
      ? { kind: 'imdbId', imdbId: normalImdbId(`tt${digits}`) }
      : { kind: 'id', id: number - FIRST_SYNTHETIC_ID })
  )
}

// Clients send `Season=undefined` and the like.
const isNumber = (text = '') => /^[+-]?\d+$/.test(text)

/** There are no series, and so none of their episodes. */
function episodeOf(parameters: Parameters): Question | undefined {
  if (isNumber(parameters.get('episode'))) return miss('noEpisode')
  return isNumber(parameters.get('season')) ? miss('noSeason') : undefined
}

function titleOf(parameters: Parameters): Question {
  const text = textOf(parameters.get('t') ?? '')
  return missOf(text, parameters) ?? { kind: 'title', text, year: yearOf(parameters) }
}

function searchOf(parameters: Parameters): Question {
  const text = textOf(parameters.get('s') ?? '')
  const number = parameters.get('page')
  const page = isNumber(number) ? Number(number) : 1
  if (page < 1 || page > MAX_PAGE) return miss(nothingFound(parameters))
  if (!hasWords(text)) return miss('noWord')
  return missOf(text, parameters) ?? { kind: 'search', text, year: yearOf(parameters), page }
}

/** PostgreSQL has no NUL in a text. */
const textOf = (text: string) => text.replaceAll('\0', ' ')

function missOf(text: string, parameters: Parameters): Question | undefined {
  const type = parameters.get('type')?.toLowerCase() ?? ''
  const isOther = ['series', 'episode', 'game'].includes(type)
  return isOther || wordsProblem(text) !== undefined ? miss(nothingFound(parameters)) : undefined
}

export const nothingFound = (parameters: Parameters): Miss =>
  parameters.get('type')?.toLowerCase() === 'series' ? 'noSeries' : 'noMovie'

function yearOf(parameters: Parameters): number | undefined {
  const year = parameters.get('y') ?? ''
  return /^\d{4}$/.test(year) ? Number(year) : undefined
}
