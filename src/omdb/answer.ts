import type { Movie } from '../movies/model'
import { FIRST_SYNTHETIC_ID } from './query'

const UNKNOWN = 'N/A'
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const SHORT_PLOT = 240

export type OmdbMovie = ReturnType<typeof omdbMovie>
export type OmdbResult = ReturnType<typeof omdbResult>

/** A movie with exactly OMDb's keys, in OMDb's order: clients depend on both. */
export const omdbMovie = (movie: Movie, plot: 'short' | 'full') => ({
  Title: movie.title,
  Year: String(movie.year),
  Rated: UNKNOWN,
  Released: released(movie.release_date),
  Runtime: movie.runtime == null ? UNKNOWN : `${movie.runtime} min`,
  Genre: listed(movie.genres.map(capitalized)),
  Director: movie.director ?? UNKNOWN,
  Writer: UNKNOWN,
  Actors: listed(movie.cast ?? []),
  Plot: plotOf(movie.synopsis, plot),
  Language: UNKNOWN,
  Country: UNKNOWN,
  Awards: UNKNOWN,
  Poster: movie.poster ?? UNKNOWN,
  Ratings: [],
  Metascore: UNKNOWN,
  imdbRating: UNKNOWN,
  imdbVotes: UNKNOWN,
  imdbID: idOf(movie),
  Type: 'movie',
  DVD: UNKNOWN,
  BoxOffice: UNKNOWN,
  Production: UNKNOWN,
  Website: UNKNOWN,
})

/** A movie as a search shows it. */
export const omdbResult = (movie: Pick<Movie, 'id' | 'title' | 'year' | 'imdb_id' | 'poster'>) => ({
  Title: movie.title,
  Year: String(movie.year),
  imdbID: idOf(movie),
  Type: 'movie',
  Poster: movie.poster ?? UNKNOWN,
})

const idOf = ({ id, imdb_id }: Pick<Movie, 'id' | 'imdb_id'>) => imdb_id ?? `tt${FIRST_SYNTHETIC_ID + id}`

const listed = (texts: readonly string[]) => (texts.length === 0 ? UNKNOWN : texts.join(', '))

/** `1995-03-05` → `05 Mar 1995`. */
function released(date: string | null | undefined): string {
  const [year, month, day] = date?.split('-') ?? []
  return year === undefined ? UNKNOWN : `${day} ${MONTHS[Number(month) - 1]} ${year}`
}

/** `science fiction` → `Science Fiction`. */
const capitalized = (genre: string) => genre.replace(/(?<=^|[ -])\p{Ll}/gu, (letter) => letter.toUpperCase())

// Only a space after the dot marks the end of a sentence, not of an abbreviation or inside a number.
const SENTENCE_END = /[.!?…]+["'”’»›]*(?=\s)/gu

function plotOf(synopsis: string | null | undefined, plot: 'short' | 'full'): string {
  if (synopsis == null) return UNKNOWN
  const characters = plot === 'full' ? [] : [...synopsis]
  if (characters.length <= SHORT_PLOT) return synopsis
  const start = characters.slice(0, SHORT_PLOT).join('')
  const next = characters[SHORT_PLOT] ?? ''
  const sentence = [...(start + next).matchAll(SENTENCE_END)].at(-1)
  if (sentence !== undefined) return start.slice(0, sentence.index + sentence[0].length)
  const cut = /\s/.test(next) ? start : (/^.*(?=\s)/s.exec(start)?.[0] ?? start)
  return `${cut.trimEnd()}…`
}
