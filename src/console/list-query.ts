import { url } from './router'
import { session } from './session'

export type Own = 'all' | 'favourites' | 'mine'
const PAGE_SIZE = 40

/** Parameters of the address that narrow the list. */
export const FILTERS = ['q', 'genres', 'year_from', 'year_to', 'director', 'cast'] as const

export const SORTS = {
  title: 'Title',
  '-year': 'Newest movie',
  year: 'Oldest movie',
  '-id': 'Newest entry',
  runtime: 'Shortest',
  '-runtime': 'Longest',
}

/** Sorts that only an address typed by hand has. */
export const OTHER_SORTS: Record<string, string> = {
  '-title': 'Title, from the end',
  id: 'Oldest entry',
  added: 'Oldest favourite',
  '-added': 'Newest favourite',
  relevance: 'Best match',
}

/** Changes to the address that clear the filters, but keep the sort. */
export const NO_FILTERS = Object.fromEntries([...FILTERS, 'page'].map((name) => [name, undefined]))

export const isFiltered = () => FILTERS.some((name) => url.value.searchParams.get(name))

/** The API's path for the address. */
export function apiPath(own: Own): string {
  const query = new URLSearchParams({ page_size: String(PAGE_SIZE) })
  for (const name of [...FILTERS, 'sort', 'page']) {
    const value = url.value.searchParams.get(name)
    if (value) query.set(name, value)
  }
  if (own === 'favourites') return `/v1/users/me/favourites?${query}`
  if (own === 'mine') query.set('created_by', 'me')
  if (session.value) query.set('include', 'favourite')
  return `/v1/movies?${query}`
}

/** Genres in the address. */
export const chosenGenres = () => (url.value.searchParams.get('genres') ?? '').split(',').filter(Boolean)
