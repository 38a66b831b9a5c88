import type { Format, Reading } from './format'
import { member } from './json-values'

const imdbId: Reading = (ids) => ({ imdb_id: member(ids, 'imdb') })

const movie: Reading = (value) => ({
  title: member(value, 'title'),
  year: member(value, 'year'),
  runtime: member(value, 'runtime'),
  genres: member(value, 'genres'),
  release_date: member(value, 'released'),
  synopsis: member(value, 'overview'),
  ...imdbId(member(value, 'ids')),
})
const show: Reading = () => ({ kind: 'show' })

/** Lists, history and ratings exported by Trakt, in which each movie is nested; or movies of its API. */
export const trakt: Format = {
  name: 'trakt',
  shape: 'json',
  isKnownBy: (_, first) => ['movie', 'show'].some((key) => member(first[key], 'ids')) || 'ids' in first,
  columns: { movie, show, type: 'kind', ids: imdbId, released: 'release_date', overview: 'synopsis' },
}
