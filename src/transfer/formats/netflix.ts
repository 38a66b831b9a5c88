import type { Format } from './format'

/** The table of Netflix titles, and those of other services that have the same columns. */
export const netflix: Format = {
  name: 'netflix',
  shape: 'table',
  isKnownBy: (names) => ['show_id', 'type', 'duration', 'listed_in'].every((name) => names.includes(name)),
  columns: {
    type: 'kind',
    release_year: 'year',
    duration: 'runtime',
    listed_in: 'genres',
    description: 'synopsis',
  },
}
