import type { Format, Reading } from './format'

const kind: Reading = (type) => ({ kind: type === 'tv' ? 'show' : type })

/** Tables made of TMDB's data, and answers of its API; what they hold besides is theirs. */
export const tmdb: Format = {
  name: 'tmdb',
  shape: 'any',
  isKnownBy: (names) => names.includes('original_title') && names.includes('release_date'),
  columns: { overview: 'synopsis', media_type: kind },
}
