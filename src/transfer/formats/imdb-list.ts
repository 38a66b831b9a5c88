import type { Format } from './format'

/** A list, watchlist or ratings exported by imdb.com, of any year. */
export const imdbList: Format = {
  name: 'imdb-list',
  shape: 'table',
  isKnownBy: (names) => names.includes('const') && names.includes('title type'),
  columns: {
    const: 'imdb_id',
    'title type': 'kind',
    directors: 'director',
    'runtime (mins)': 'runtime',
    'release date (month/day/year)': 'release_date',
  },
}
