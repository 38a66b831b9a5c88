/**
 * Terminal controls (C0, DEL, C1), line ends, direction marks and lone surrogates, with which text from
 * outside could forge a row or control a terminal.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find.
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu

const NAMED = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** Text safe for a line of a terminal or a list; other characters are escaped: `\x1b`, `\u{202e}`. */
export const visible = (text: string): string =>
  text.replace(UNSAFE, (character) => NAMED.get(character) ?? escaped(character))

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16)
  return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`
}

/** JSON on one line, with the same characters in JSON's escapes. */
export const visibleJson = (value: unknown): string =>
  `${JSON.stringify(value)}`.replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
