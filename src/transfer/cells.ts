/** How a table is written. Without `quote`, quotes are letters. */
export type Dialect = {
  readonly delimiter: string
  readonly quote?: '"'
  /** Makes the character behind it literal within quotes, besides a doubled quote. */
  readonly escape?: '\\'
}

type State = 'start' | 'plain' | 'quoted' | 'after quote' | 'escaped' | 'broken'
type Progress = { cells: string[]; cell: string; state: State }

/**
 * Cells of a record (RFC 4180) that may come in several pieces. A quote counts only at the start of a cell, or
 * after blanks there; a letter after a closing quote breaks the record, up to the end of that line.
 */
export function createCellReader(dialect: Dialect) {
  const progress: Progress = { cells: [], cell: '', state: 'start' }
  return {
    read(text: string) {
      for (let at = 0; at < text.length; ) at = steps[progress.state](progress, text, at, dialect)
    },
    /** Within quotes, so that a line end belongs to the cell. */
    isOpen: () => progress.state === 'quoted' || progress.state === 'escaped',
    isBroken: () => progress.state === 'broken',
    /** Drops the text of a record that is too long, but not the position. */
    drop() {
      progress.cells = []
      progress.cell = ''
    },
    /** The cells of the record that ends here. */
    end(): string[] {
      endCell(progress)
      const { cells } = progress
      progress.cells = []
      return cells
    },
  }
}

function endCell(progress: Progress) {
  progress.cells.push(progress.cell)
  progress.cell = ''
  progress.state = 'start'
}

/** Reads on in one state; returns where the next step begins. */
type Step = (progress: Progress, text: string, at: number, dialect: Dialect) => number

const steps: Record<State, Step> = {
  start(progress, text, at, { quote, delimiter }) {
    if (text[at] === quote) {
      progress.cell = ''
      progress.state = 'quoted'
      return at + 1
    }
    const isBlank = text[at]?.trim() === '' && !text.startsWith(delimiter, at)
    if (!isBlank) {
      progress.state = 'plain'
      return at
    }
    progress.cell += text[at]
    return at + 1
  },
  plain(progress, text, at, { delimiter }) {
    const end = text.indexOf(delimiter, at)
    progress.cell += text.slice(at, end < 0 ? text.length : end)
    if (end < 0) return text.length
    endCell(progress)
    return end + delimiter.length
  },
  quoted(progress, text, at, dialect) {
    const quoteAt = text.indexOf('"', at)
    const stop = quoteAt < 0 ? text.length : quoteAt
    const escapeAt = dialect.escape === undefined ? -1 : text.slice(at, stop).indexOf(dialect.escape)
    const end = escapeAt < 0 ? stop : at + escapeAt
    progress.cell += text.slice(at, end)
    if (end === text.length) return end
    progress.state = escapeAt < 0 ? 'after quote' : 'escaped'
    return end + 1
  },
  escaped(progress, text, at) {
    progress.cell += text[at]
    progress.state = 'quoted'
    return at + 1
  },
  'after quote'(progress, text, at, { quote, delimiter }) {
    if (text[at] === quote) {
      progress.cell += quote
      progress.state = 'quoted'
      return at + 1
    }
    if (text.startsWith(delimiter, at)) {
      endCell(progress)
      return at + delimiter.length
    }
    progress.state = 'broken'
    return text.length
  },
  broken: (_, text) => text.length,
}
