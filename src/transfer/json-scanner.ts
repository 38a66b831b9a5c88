export const MAX_JSON_DEPTH = 32

const [QUOTE, BACKSLASH, COMMA, COLON, LF] = [34, 92, 44, 58, 10]
const [OPEN_BRACKET, BRACKET, OPEN_BRACE, BRACE] = [91, 93, 123, 125]
export const isSpace = (code: number) => code === 32 || code === LF || code === 13 || code === 9

/** Finds where a JSON value ends, byte by byte, by its brackets and quotes alone. */
export function createScanner() {
  let depth = 0
  let keys = 0
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
      keys = 0
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
      } else if (code === COLON && depth === 1) keys++
      else if (depth === 0 && (code === COMMA || isSpace(code))) return 'before'
    },
    isTooDeep: () => isTooDeep,
    isText: () => isText,
    depth: () => depth,
    /** How many keys the value has, if it is an object; one that is repeated counts each time. */
    keys: () => keys,
  }
}

export type Shape = { readonly isTooDeep: boolean; readonly keys: number }

/** The shape of a line. */
export function shapeOf(bytes: Buffer): Shape {
  const scanner = createScanner()
  scanner.begin(0)
  for (const code of bytes) {
    scanner.next(code)
    if (scanner.isTooDeep()) break
  }
  return { isTooDeep: scanner.isTooDeep(), keys: scanner.keys() }
}

/** The keys that an object has more than once, of which JSON.parse keeps the last. */
export function repeatedKeys(text: string): Set<string> {
  const bytes = Buffer.from(text)
  const scanner = createScanner()
  scanner.begin(0)
  const [found, repeated] = [new Set<string>(), new Set<string>()]
  let [start, end, count] = [0, 0, 0]
  for (const [at, code] of bytes.entries()) {
    const wasText = scanner.isText()
    scanner.next(code)
    if (!wasText && scanner.isText()) start = at
    if (wasText && !scanner.isText()) end = at + 1
    if (scanner.keys() === count) continue
    count = scanner.keys()
    const key = String(JSON.parse(bytes.toString('utf8', start, end)))
    if (found.has(key)) repeated.add(key)
    found.add(key)
  }
  return repeated
}
