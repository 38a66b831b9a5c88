import { Failure, failures } from '../errors'
import { pause } from '../waiting'

// Parsing 1 MB of small values takes 30 ms and leaves up to 30 MB of garbage, and no operation accepts such a
// body (decision 17). So a large body is checked as JSON in slices, and only what the rules can distinguish is
// kept for parsing: known members of the object and the first few unknown ones, a limited number of entries of
// each value, and whether an entry is a list or an object, but not its content.

const MAX_UNKNOWN_MEMBERS = 40
const MAX_ENTRIES = 1000
const SLICE = 65_536

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y
const WORDS = ['true', 'false', 'null']
const [QUOTE, BACKSLASH, COMMA, COLON, SPACE] = [34, 92, 44, 58, 32]
const [OPEN_BRACKET, BRACKET, OPEN_BRACE, BRACE] = [91, 93, 123, 125]
const LETTER = 97

export const badlyFormed = (offset: number) =>
  new Failure('badlyFormedJson', {
    error: `${failures.badlyFormedJson.message} (at character ${offset + 1})`,
  })

/** The JSON text without what exceeds those limits; throws 400 if it isn't JSON. */
export async function shortened(text: string, known: object, maxDepth: number): Promise<string> {
  const reader = createReader(text)
  const outline = createOutline(known)
  /** Closing characters of the open lists and objects. */
  const closing: number[] = []
  let sliceEnd = SLICE

  /** Reads a key, or up to the start of a value; throws if neither is allowed here. */
  function readItem(isFirst: boolean): boolean {
    const end = closing[closing.length - 1]
    if (isFirst && reader.take(end ?? 0)) return false
    if (end === BRACE) {
      const key = reader.string()
      outline.begin(closing.length, key)
      if (!reader.take(COLON)) throw badlyFormed(reader.at())
    } else if (end !== undefined) outline.begin(closing.length)
    return true
  }

  function readValue(): boolean {
    const close = reader.open()
    if (close === undefined) {
      outline.add(closing.length, reader.scalar())
      return false
    }
    if (closing.length === maxDepth) throw new Failure('nestedTooDeeply')
    outline.add(closing.length, close === BRACE ? '{' : '[')
    closing.push(close)
    outline.open(closing.length)
    return true
  }

  /** Closes what ends here; returns whether another item follows. */
  function readOn(isClosed: boolean): boolean {
    for (let isEnd = isClosed; closing.length > 0; isEnd = false) {
      if (!isEnd && reader.take(COMMA)) return true
      const close = closing[closing.length - 1] ?? 0
      if (!isEnd && !reader.take(close)) throw badlyFormed(reader.at())
      outline.close(closing.length, close === BRACE ? '}' : ']')
      closing.pop()
    }
    return false
  }

  for (let isFirst = false, goesOn = true; goesOn; ) {
    const hasItem = readItem(isFirst)
    isFirst = hasItem && readValue()
    goesOn = isFirst || readOn(!hasItem)
    if (reader.at() < sliceEnd) continue
    sliceEnd = reader.at() + SLICE
    await pause(0)
  }
  if (!reader.isAtEnd()) throw badlyFormed(reader.at())
  return outline.text()
}

/** Reads token by token. */
function createReader(text: string) {
  let at = 0

  function skipSpace() {
    for (let code = text.charCodeAt(at); code <= SPACE; code = text.charCodeAt(++at))
      if (code !== SPACE && code !== 10 && code !== 13 && code !== 9) break
  }
  function match(pattern: RegExp, from: number): number {
    pattern.lastIndex = from
    return pattern.test(text) ? pattern.lastIndex : from
  }
  function take(code: number): boolean {
    skipSpace()
    if (text.charCodeAt(at) !== code) return false
    at++
    return true
  }
  function string(): string {
    skipSpace()
    const start = at
    if (text.charCodeAt(at) !== QUOTE) throw badlyFormed(at)
    for (let code = text.charCodeAt(++at); code !== QUOTE; code = text.charCodeAt(at)) {
      const next = code === BACKSLASH ? match(ESCAPE, at) : at + 1
      // The char code at the end of the text is NaN.
      if (next === at || !(code >= SPACE)) throw badlyFormed(start)
      at = next
    }
    return text.slice(start, ++at)
  }
  return {
    at: () => at,
    take,
    string,
    /** The closing character, if a list or an object starts here. */
    open(): number | undefined {
      skipSpace()
      const code = text.charCodeAt(at)
      if (code !== OPEN_BRACKET && code !== OPEN_BRACE) return undefined
      at++
      return code === OPEN_BRACE ? BRACE : BRACKET
    },
    scalar(): string {
      skipSpace()
      if (text.charCodeAt(at) === QUOTE) return string()
      const start = at
      const word = text.charCodeAt(at) < LETTER ? undefined : WORDS.find((each) => text.startsWith(each, at))
      at = word === undefined ? match(NUMBER, at) : at + word.length
      if (at === start) throw badlyFormed(at)
      return text.slice(start, at)
    },
    isAtEnd() {
      skipSpace()
      return at >= text.length
    },
  }
}

/** Collects the text within the limits. Depth 1 is the object's members, 2 their entries. */
function createOutline(known: object) {
  const parts: string[] = []
  const items: number[] = []
  let unknown = 0
  /** Depth of the item that is being skipped with its content. */
  let leftOut = Number.POSITIVE_INFINITY

  function isKept(depth: number, key: string | undefined): boolean {
    if (depth > 2) return false
    if (depth === 2) return (items[depth] ?? 0) < MAX_ENTRIES
    if (key === undefined) return false
    const name = key.includes('\\') ? String(JSON.parse(key)) : key.slice(1, -1)
    return Object.hasOwn(known, name) || ++unknown <= MAX_UNKNOWN_MEMBERS
  }

  return {
    open(depth: number) {
      items[depth] = 0
    },
    begin(depth: number, key?: string) {
      if (depth > leftOut) return
      leftOut = isKept(depth, key) ? Number.POSITIVE_INFINITY : depth
      if (leftOut === depth) return
      if ((items[depth] ?? 0) > 0) parts.push(',')
      items[depth] = (items[depth] ?? 0) + 1
      if (key !== undefined) parts.push(key, ':')
    },
    add(depth: number, part: string) {
      if (depth < leftOut) parts.push(part)
    },
    close(depth: number, part: string) {
      if (leftOut === depth) leftOut = Number.POSITIVE_INFINITY
      if (depth - 1 < leftOut) parts.push(part)
    },
    text: () => parts.join(''),
  }
}
