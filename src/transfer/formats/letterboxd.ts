import type { Format } from './format'

const LIST = 'letterboxd list export'

/** Files of a Letterboxd export; in a list, the movies follow the list's own description. */
export const letterboxd: Format = {
  name: 'letterboxd',
  shape: 'table',
  isKnownBy: (names) => names.includes('letterboxd uri') || (names[0] ?? '').startsWith(LIST),
  isHeader: (cells) => cells.includes('Name') && cells.includes('Year'),
  columns: { name: 'title' },
  dialect: { delimiter: ',', quote: '"' },
}
