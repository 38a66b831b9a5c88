import { splitYear } from '../texts'
import type { Format, Reading } from './format'

const NO_GENRES = /^\s*\(?no genres listed\)?\s*$/
const titleAndYear: Reading = (value) => splitYear(value)
const genres: Reading = (value) => ({ genres: NO_GENRES.test(String(value)) ? undefined : value })

/** movies.csv of MovieLens: the year stands in the title. */
export const movielens: Format = {
  name: 'movielens',
  shape: 'table',
  isKnownBy: (names) => names.join() === 'movieid,title,genres',
  columns: { title: titleAndYear, genres },
}

/** movies.dat of the older ones, in Latin-1 and without a header. */
export const movielensDat: Format = {
  ...movielens,
  name: 'movielens-dat',
  isKnownBy: undefined,
  dialect: { delimiter: '::' },
  header: ['movieId', 'title', 'genres'],
}
