import type { Format, Reading } from './format'

const kind: Reading = (type) => ({ kind: type === 'tv' ? 'show' : type })

/** Tables of TMDB's data, and responses of its API; other content is ignored. */
export const tmdb: Format = {
  name: 'tmdb',
  shape: 'any',
  isKnownBy: (names) => names.includes('original_title') && names.includes('release_date'),
  columns: { overview: 'synopsis', media_type: kind },
}
