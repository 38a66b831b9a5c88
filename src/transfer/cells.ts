/** How a table is written. Without `quote`, quotes are letters. */
export type Dialect = {
  readonly delimiter: string
  readonly quote?: '"'
  /** Character that makes the next one literal within quotes, besides a doubled quote. */
  readonly escape?: '\\'
}

type State = 'start' | 'plain' | 'quoted' | 'after quote' | 'escaped' | 'broken'

/**
 * Cells of a record (RFC 4180) that may come in several pieces. A quote counts only at the start of a cell; a
 * letter after a closing quote breaks the record, up to the end of that line.
 */
export function createCellReader({ delimiter, quote, escape: escapeMark }: Dialect) {
  let cells: string[] = []
  let cell = ''
  let state: State = 'start'

  function endCell() {
    cells.push(cell)
    cell = ''
    state = 'start'
  }

  /** Reads up to the next delimiter; returns where to go on. */
  function readPlain(text: string, from: number): number {
    const end = text.indexOf(delimiter, from)
    cell += text.slice(from, end < 0 ? text.length : end)
    if (end < 0) return text.length
    endCell()
    return end + delimiter.length
  }

  function readQuoted(text: string, from: number): number {
    const end = text.indexOf('"', from)
    const stop = end < 0 ? text.length : end
    const escapeAt = escapeMark === undefined ? -1 : text.slice(from, stop).indexOf(escapeMark)
    const until = escapeAt < 0 ? stop : from + escapeAt
    cell += text.slice(from, until)
    if (until === text.length) return until
    state = escapeAt < 0 ? 'after quote' : 'escaped'
    return until + 1
  }

  function readAfterQuote(text: string, from: number): number {
    if (text[from] === quote) {
      cell += quote
      state = 'quoted'
      return from + 1
    }
    if (text.startsWith(delimiter, from)) {
      endCell()
      return from + delimiter.length
    }
    state = 'broken'
    return text.length
  }

  function step(text: string, at: number): number {
    if (state === 'start') {
      state = text[at] === quote ? 'quoted' : 'plain'
      return state === 'quoted' ? at + 1 : at
    }
    if (state === 'plain') return readPlain(text, at)
    if (state === 'quoted') return readQuoted(text, at)
    if (state === 'after quote') return readAfterQuote(text, at)
    if (state === 'broken') return text.length
    cell += text[at]
    state = 'quoted'
    return at + 1
  }

  return {
    read(text: string) {
      for (let at = 0; at < text.length; ) at = step(text, at)
    },
    /** Within quotes, so that a line end belongs to the cell. */
    isOpen: () => state === 'quoted' || state === 'escaped',
    isBroken: () => state === 'broken',
    /** Forgets what was read but not where it stands, of a record that is too long to keep. */
    drop() {
      cells = []
      cell = ''
    },
    /** The cells of the record that ends here. */
    end(): string[] {
      endCell()
      const record = cells
      cells = []
      return record
    },
  }
}
