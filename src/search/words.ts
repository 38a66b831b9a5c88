import { codePoints, parameter } from '../rules/fields'
import type { Rule } from '../rules/objects'

const MAX_TEXT = 500
/** Each word is checked in every movie that matches the others. */
const MAX_WORDS = 32

/** A search text with a limit on its different words. */
const searchText =
  (what: string, split: (text: string) => ReadonlySet<string>): Rule =>
  (value) => {
    const text = String(value)
    if (codePoints(text) > MAX_TEXT) return `must not be more than ${MAX_TEXT} characters long`
    if (split(text).size > MAX_WORDS) return `must not hold more than ${MAX_WORDS} different ${what}`
  }

// As `search_text` of the database reads them (decision 7): letters and digits, or a symbol. That one also parts
// text next to a symbol, and Chinese and Japanese, which doesn't matter for either question here.
const WORD = /(?![\u02b9-\u02bf\u02c8\u2044])(?:[\p{L}\p{N}\p{M}]+|[$+]|[^\p{ASCII}\p{P}\p{Z}\p{Cc}\p{Cf}])/gu
export const differentWords = (text: string) =>
  new Set(
    text
      .normalize('NFKC')
      .toLowerCase()
      .normalize('NFKD')
      .replace(/[\u0300-\u036f\u180b-\u180d\ufe00-\ufe0f]/gu, '')
      .match(WORD),
  )

export const hasWords = (text: string) => differentWords(text).size > 0

/** Each genre once, in its first spelling, keyed by its folded form. */
function differentGenres(text: string): ReadonlyMap<string, string> {
  const genres = new Map<string, string>()
  for (const genre of text.split(',').map((part) => part.trim())) {
    const key = genre.normalize('NFC').toLowerCase()
    if (key !== '' && !genres.has(key)) genres.set(key, genre)
  }
  return genres
}

/** The problem with a search text, for its sender. */
export const wordsProblem = searchText('words', differentWords)
export const words = parameter({ type: 'string', maxLength: MAX_TEXT }, wordsProblem)

export const genreList = parameter(
  { type: 'string', maxLength: MAX_TEXT },
  searchText('genres', (text) => new Set(differentGenres(text).keys())),
)

/** The genres of a list; undefined when it has none. */
export function listedGenres(text = ''): string[] | undefined {
  const genres = [...differentGenres(text).values()]
  return genres.length === 0 ? undefined : genres
}
