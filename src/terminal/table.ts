import { visible } from '../visible'
import type { Colours } from './colours'

export type Cell = string | number | null | undefined
/** Prints rows under the headings, which come before the first ones. */
export type Table = (rows: readonly (readonly Cell[])[]) => void
/** Starts a table with these headings. */
export type StartTable = (...headings: readonly string[]) => Table

type Output = {
  readonly print: (line: string) => void
  /** Width of the terminal; undefined elsewhere, where nothing is cut. */
  readonly columns: () => number | undefined
  readonly colours: Pick<Colours, 'bold'>
}

const GAP = '  '
const NOTHING = '-'
const graphemes = new Intl.Segmenter('en')

/** Tables for people and for `grep`: aligned by the first rows, so that a long list needs no memory. */
export const createTables =
  ({ print, columns, colours }: Output): StartTable =>
  (...headings) => {
    let widths: readonly number[] | undefined
    const show = (cells: readonly string[], paint = (text: string) => text) => {
      const padded = cells.map((cell, i) => {
        const room = (widths?.[i] ?? 0) - Bun.stringWidth(cell)
        return i === cells.length - 1 ? cell : cell + ' '.repeat(Math.max(0, room))
      })
      print(paint(cut(padded.join(GAP), columns())))
    }
    return (rows) => {
      const texts = rows.map((row) => row.map(textOf))
      if (widths === undefined) {
        widths = headings.map((heading, i) =>
          Math.max(...[heading, ...texts.map((row) => row[i] ?? '')].map(widthOf)),
        )
        show(headings, colours.bold)
      }
      for (const row of texts) show(row)
    }
  }

const widthOf = (text: string) => Bun.stringWidth(text)
const textOf = (cell: Cell) =>
  cell === null || cell === undefined || cell === '' ? NOTHING : visible(String(cell))

/** The start of a text that fits into this many columns, with … for the rest. */
function cut(text: string, columns = Number.POSITIVE_INFINITY): string {
  if (Bun.stringWidth(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    width += Bun.stringWidth(segment)
    if (width > columns - 1) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}
