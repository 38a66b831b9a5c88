import { readPythonList } from './python-list'
import { isNothing, textOf, trimmed } from './texts'

// In this order, because names separated by "|" may have commas.
const SEPARATORS = ['|', '; ', ' / ', ';', ',']

/** The texts of a list: of JSON, or a cell that holds one in JSON or Python, or separated. Undefined if unreadable. */
export function readList(value: unknown): string[] | undefined {
  if (Array.isArray(value)) return textsOf(value)
  const text = textOf(nameOf(value))
  if (text === undefined) return undefined
  if (isNothing(text)) return []
  return isBracketed(text) ? bracketedList(text) : separated(text)
}

/** The same for a field of text, where only brackets and separators other than commas make a list. */
export function readJoined(value: unknown): string | undefined {
  if (typeof value !== 'string') return readList(value)?.join(', ')
  const text = trimmed(value)
  if (isBracketed(text)) return bracketedList(text)?.join(', ') ?? (/^\[['"{]/.test(text) ? undefined : text)
  return /\||; | \/ /.test(text) ? separated(text).join(', ') : text
}

const isBracketed = (text: string) => text.startsWith('[') && text.endsWith(']')

function bracketedList(text: string): string[] | undefined {
  const list = readJsonList(text) ?? readPythonList(text)
  return list && textsOf(list)
}

function readJsonList(text: string): unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

function separated(text: string): string[] {
  const separator = SEPARATORS.find((each) => text.includes(each)) ?? ','
  const parts = text.split(separator).map(trimmed)
  return parts.filter((part) => part !== '')
}

function textsOf(list: readonly unknown[]): string[] | undefined {
  const texts: string[] = []
  for (const entry of list) {
    const text = textOf(nameOf(entry))
    if (text === undefined) return undefined
    if (text !== '') texts.push(text)
  }
  return texts
}

/** Lists of objects name each: `{"id": 28, "name": "Action"}`. */
function nameOf(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry ?? ''
  return 'name' in entry ? entry.name : entry
}
