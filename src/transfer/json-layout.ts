import type { Layout } from './elements'
import { createScanner, isSpace } from './json-scanner'

/** How a JSON file holds its objects, and where its first one begins. */
export type JsonLayout = { readonly layout: Layout | 'lines'; readonly offset: number }

/** Keys of an object that may hold the list: the API's own, Jellyfin's and TMDB's. */
const LIST_KEYS = ['movies', 'items', 'results']

const [QUOTE, COMMA, COLON, LF, OPEN_BRACKET, BRACKET, OPEN_BRACE, BRACE] = [34, 44, 58, 10, 91, 93, 123, 125]

export const beginsJson = (head: Buffer) => {
  const first = head.find((code) => !isSpace(code))
  return first === OPEN_BRACE || first === OPEN_BRACKET
}

/** How far an object is read on for a title, where it may be a movie that has a list before it. */
const READ_ON_BYTES = 65_536

/** Undefined if more of the file is needed to know. An object with a title is a movie, whatever lists it has. */
export function layoutIn(
  head: Buffer,
  isAll: boolean,
  isTitle: (key: string) => boolean,
): JsonLayout | undefined {
  const start = head.findIndex((code) => !isSpace(code))
  if (head[start] === OPEN_BRACKET) return { layout: 'list', offset: start + 1 }
  const value = firstValue(head, start, isAll, isTitle)
  if (value === undefined && !isAll) return undefined
  if (value === undefined || value.kind === 'ends') {
    const hasLines = head.subarray(start, value?.at).includes(LF)
    return { layout: hasLines ? 'sequence' : 'lines', offset: start }
  }
  return value.kind === 'list'
    ? { layout: 'list in an object', offset: value.at }
    : { layout: 'lines', offset: start }
}

type Found = { readonly kind: 'ends' | 'list' | 'broken'; readonly at: number }

/** Reads on to the end of the first object, or to where it is broken, and finds its list of movies. */
function firstValue(
  head: Buffer,
  start: number,
  isAll: boolean,
  isTitle: (key: string) => boolean,
): Found | undefined {
  const scanner = createScanner()
  scanner.begin(0)
  let textStart = start
  let text = ''
  /** The last byte but for white space, and the brackets that are open. */
  let last = COLON
  const open: number[] = []
  let hasTitle = false
  let list: Found | undefined
  for (let at = start; at < head.length; at++) {
    if (list !== undefined && at - start > READ_ON_BYTES) return list
    const code = head[at] ?? 0
    if (isSpace(code) && !scanner.isText()) continue
    const isOutside = !scanner.isText()
    if (isOutside && code === OPEN_BRACE && !isPlaceForValue(last, open.at(-1)))
      return list ?? { kind: 'broken', at }
    if (isOutside && (code === OPEN_BRACE || code === OPEN_BRACKET)) open.push(code)
    if (isOutside && (code === BRACE || code === BRACKET)) open.pop()
    const end = scanner.next(code)
    if (end === 'broken') return list ?? { kind: 'broken', at }
    if (end === 'here') return list ?? { kind: 'ends', at: at + 1 }
    if (isOutside && code === QUOTE) textStart = at + 1
    else if (!isOutside && !scanner.isText() && scanner.depth() === 1)
      text = head.toString('utf8', textStart, at)
    if (isOutside && code === COLON && scanner.depth() === 1 && isTitle(text)) {
      hasTitle = true
      list = undefined
    }
    const mayBeList = isOutside && code === OPEN_BRACKET && scanner.depth() === 2 && isListKey(last, text)
    if (mayBeList && !hasTitle && list === undefined) {
      const next = head.subarray(at + 1).find((each) => !isSpace(each))
      if (next === undefined) return undefined
      if (next === OPEN_BRACE || next === BRACKET) list = { kind: 'list', at: at + 1 }
    }
    last = code
  }
  if (isAll) return list
}

const isListKey = (last: number, text: string) => last === COLON && LIST_KEYS.includes(text.toLowerCase())

const isPlaceForValue = (last: number, container: number | undefined) =>
  last === COLON || (container === OPEN_BRACKET && (last === COMMA || last === OPEN_BRACKET))
