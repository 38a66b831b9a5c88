import type { Dialect } from '../cells'
import type { MovieField } from '../row'
import type { Raw } from '../values'

/** What becomes of a column or key: a field, the row's kind, or several of them read from one value. */
export type Use = MovieField | 'kind' | Reading
export type Reading = (value: unknown) => RawRow
/** Values as they stand in the file. */
export type RawRow = Raw & { kind?: unknown }

/** One kind of file. */
export type Format = {
  readonly name: string
  readonly shape: 'table' | 'json' | 'any'
  /**
   * Recognises the names of the columns, or the keys of the first object, in lower case and in their order.
   * Without it, the format is read by --format only.
   */
  readonly isKnownBy?: (names: readonly string[], first: Readonly<Record<string, unknown>>) => boolean
  /** By name in lower case; other columns with the name of a field are that field. */
  readonly columns: Readonly<Record<string, Use>>
  /** Several files in a folder. */
  readonly isFolder?: true
  /** Left out without a word. */
  readonly ignored?: readonly string[]
  /** By default cells in quotes, with the delimiter that the header has most of. */
  readonly dialect?: Dialect
  /** Recognises the header, where the table doesn't begin with it. */
  readonly isHeader?: (cells: readonly string[]) => boolean
  /** Columns of a table that has no header. */
  readonly header?: readonly string[]
}
