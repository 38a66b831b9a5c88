import type { OmdbMovie, OmdbResult } from './answer'

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
  // Line ends of XML 1.1, which some parsers of 1.0 make into others.
  '\u0085': '&#133;',
  '\u2028': '&#8232;',
}
// What XML 1.0 allows (section 2.2) is neither of these.
const SPECIAL = /[&<>"'\t\n\r\u0085\u2028]|[^\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const escaped = (text: string) => text.replace(SPECIAL, (character) => ESCAPED[character] ?? '\uFFFD')

/** `Title` → `title`; `imdbID` stays, and `DVD` becomes `dvd`. */
const nameOf = (key: string) => (key === 'DVD' ? 'dvd' : key.charAt(0).toLowerCase() + key.slice(1))

const attributes = (values: Readonly<Record<string, unknown>>) =>
  Object.entries(values)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .map(([key, value]) => ` ${nameOf(key)}="${escaped(value)}"`)
    .join('')

export const movieXml = (movie: OmdbMovie) => `<root response="True"><movie${attributes(movie)}/></root>`

export function searchXml(results: readonly OmdbResult[], total: number): string {
  const rows = results.map((result) => `<result${attributes(result)}/>`)
  return `<root totalResults="${total}" response="True">${rows.join('')}</root>`
}

export const errorXml = (error: string) => `<root response="False"><error>${escaped(error)}</error></root>`
