export const MAX_JSON_DEPTH = 32

const [QUOTE, BACKSLASH, COMMA, LF] = [34, 92, 44, 10]
const [OPEN_BRACKET, BRACKET, OPEN_BRACE, BRACE] = [91, 93, 123, 125]
export const isSpace = (code: number) => code === 32 || code === LF || code === 13 || code === 9

/** Finds where a JSON value ends, byte by byte, by its brackets and quotes alone. */
export function createScanner() {
  let depth = 0
  let isTooDeep = false
  let isText = false
  let isEscaped = false

  /** Within a text; returns whether a value ends with it. */
  function nextOfText(code: number): 'here' | 'broken' | undefined {
    if (code === LF) return 'broken'
    if (isEscaped) isEscaped = false
    else if (code === BACKSLASH) isEscaped = true
    else if (code === QUOTE) {
      isText = false
      if (depth === 0) return 'here'
    }
  }

  return {
    /** A value begins, or goes on within this many brackets. */
    begin(openBrackets: number) {
      depth = openBrackets
      isTooDeep = false
      isText = false
      isEscaped = false
    },
    /** Whether the value ends with this byte, or before it, or has a line end within a text, as none may. */
    next(code: number): 'here' | 'before' | 'broken' | undefined {
      if (isText) return nextOfText(code)
      if (code === QUOTE) isText = true
      else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
        depth++
        if (depth > MAX_JSON_DEPTH) isTooDeep = true
      } else if (code === BRACE || code === BRACKET) {
        if (depth === 0) return 'before'
        depth--
        if (depth === 0) return 'here'
      } else if (depth === 0 && (code === COMMA || isSpace(code))) return 'before'
    },
    isTooDeep: () => isTooDeep,
    isText: () => isText,
    depth: () => depth,
  }
}

/** Whether a line is nested deeper than may be. */
export function isNestedTooDeeply(bytes: Buffer): boolean {
  const scanner = createScanner()
  scanner.begin(0)
  for (const code of bytes) {
    scanner.next(code)
    if (scanner.isTooDeep()) return true
  }
  return false
}
