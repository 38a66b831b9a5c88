/** What a file holds for one movie, and where it was read: the interface between formats and import. */
export type Row = {
  /** 1-based line, or element of a JSON list, where it begins. */
  readonly line: number
  readonly kind: 'movie' | 'not_movie'
  /**
   * In the form of the body of POST /v1/movies (runtime "107 mins"); a missing field is absent. A value that
   * couldn't be read is absent too, and named in `problems`.
   */
  readonly fields: Readonly<Partial<Record<MovieField, unknown>>>
  readonly problems: readonly RowProblem[]
  /** Of a row that our own export wrote, which is taken untouched. */
  readonly exported?: Exported
  /** Beginning of the line, if nothing could be read of it. */
  readonly text?: string
}

/** The keys by which an import knows our own export. */
export type Exported = { readonly id: number; readonly version: number }

export type RowProblem = {
  readonly field: MovieField | 'row'
  readonly code: ReasonCode
  readonly message: string
}

export const movieFields = [
  'title',
  'year',
  'runtime',
  'genres',
  'director',
  'cast',
  'release_date',
  'synopsis',
  'poster',
  'imdb_id',
  'external_id',
] as const
export type MovieField = (typeof movieFields)[number]

/** Contract, section 11. Those from "not utf-8" on are about a whole row. */
export type ReasonCode =
  | 'missing'
  | 'type'
  | 'out of range'
  | 'too long'
  | 'too many'
  | 'characters'
  | 'date'
  | 'url'
  | 'exists'
  | 'namesake'
  | 'not utf-8'
  | 'columns'
  | 'quote'
  | 'too deep'
  | 'json'
  | 'not an object'
  | 'two movies'

export type ReadOptions = {
  readonly format?: string
  /** Column, or key of JSON → field. */
  readonly map: ReadonlyMap<string, string>
  readonly encoding?: string
  /** Order and separators of day, month and year, such as "d.m.y" or "m/d/yy". */
  readonly dateFormat?: string
  readonly articles: 'keep' | 'front'
  readonly extraGenres: 'reject' | 'cut'
}

export type Source = {
  /** File name, or "standard input". */
  readonly name: string
  /** Name of the format that was recognised. */
  readonly format: string
  /** What `line` of a row counts. */
  readonly unit: 'line' | 'element'
  /** Columns or keys that no field takes. Complete once the source is open. */
  readonly unusedColumns: readonly string[]
  /** To be iterated once. Throws an OperatorError where there is no next row. */
  readonly rows: AsyncIterable<Row>
  /** Bytes read so far, compressed if the file is; the total is known for a file. */
  position(): { readonly bytes: number; readonly totalBytes?: number }
  close(): Promise<void>
}

/** A row of which nothing could be read. */
export const rejected = (line: number, problem: RowProblem, text: string): Row => ({
  line,
  kind: 'movie',
  fields: {},
  problems: [problem],
  text,
})
