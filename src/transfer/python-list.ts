const TOKEN =
  /\s*(?:([[\]{},:])|'([^'\\\n]*(?:\\[\s\S][^'\\\n]*)*)'|"([^"\\\n]*(?:\\[\s\S][^"\\\n]*)*)"|(-?\d[\d.eE+-]*|None\b|True\b|False\b))\s*/y
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g
const NAMED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' }
const MAX_DEPTH = 32

type Token = { readonly mark?: string; readonly value?: unknown }
type Value = { readonly value: unknown }

/**
 * A list as Python prints it, of texts, numbers and dictionaries: data that is read and never run. Undefined if
 * it is anything else.
 */
export function readPythonList(text: string): unknown[] | undefined {
  const tokens = createTokens(text)

  /** The items up to the closing mark; undefined if they don't have the form of a list. */
  function items<T>(close: string, item: () => T | undefined): T[] | undefined {
    const found: T[] = []
    while (!tokens.take(close)) {
      if (found.length > 0 && !tokens.take(',')) return undefined
      if (found.length > 0 && tokens.take(close)) break
      const next = item()
      if (next === undefined) return undefined
      found.push(next)
    }
    return found
  }

  function value(depth: number): Value | undefined {
    if (depth > MAX_DEPTH) return undefined
    if (tokens.take('[')) {
      const list = items(']', () => value(depth + 1))
      return list && { value: list.map((each) => each.value) }
    }
    if (tokens.take('{')) {
      const entries = items('}', () => entry(depth + 1))
      return entries && { value: Object.fromEntries(entries) }
    }
    return tokens.takeValue()
  }

  function entry(depth: number): [string, unknown] | undefined {
    const key = value(depth)
    const content = key !== undefined && tokens.take(':') ? value(depth) : undefined
    return key && content && [String(key.value), content.value]
  }

  const list = value(0)?.value
  return tokens.isAtEnd() && Array.isArray(list) ? list : undefined
}

function createTokens(text: string) {
  let at = 0
  let next = read()

  function read(): Token | undefined {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(text)
    if (found === null) return undefined
    at = TOKEN.lastIndex
    const [, mark, single, double, word] = found
    return mark === undefined ? { value: literal(single ?? double, word) } : { mark }
  }

  return {
    take(mark: string): boolean {
      if (next?.mark !== mark) return false
      next = read()
      return true
    },
    takeValue(): Value | undefined {
      if (next === undefined || next.mark !== undefined) return undefined
      const { value } = next
      next = read()
      return { value }
    },
    isAtEnd: () => next === undefined && at === text.length,
  }
}

function literal(quotedText: string | undefined, word: string | undefined): unknown {
  if (quotedText !== undefined) return quotedText.replace(ESCAPE, unescaped)
  return word === 'None' ? null : word === 'True' ? true : word === 'False' ? false : Number(word)
}

function unescaped(all: string, x?: string, u?: string, long?: string, letter = ''): string {
  const code = Number.parseInt(x ?? u ?? long ?? '', 16)
  if (!Number.isNaN(code)) return code > 0x10ffff ? all : String.fromCodePoint(code)
  return NAMED[letter] ?? ('\'"\\'.includes(letter) ? letter : all)
}
