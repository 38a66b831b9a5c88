import type { Db } from '../db/client'
import { type Movie, movieJson } from '../movies/model'
import { withMovies } from './export-store'
import { movieFields } from './row'
import type { Sink } from './sink'

export const exportFormats = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

type Json = ReturnType<typeof movieJson>

/** Columns of the CSV, which an import recognises as ours. */
const exportColumns = [
  'id',
  ...movieFields,
  'created_by',
  'version',
] as const satisfies readonly (keyof Json)[]

/** Text before the first movie. */
const beginning: Readonly<Record<ExportFormat, string>> = {
  ndjson: '',
  csv: `${exportColumns.join()}\r\n`,
}

/** A movie as a line: JSON as the API sends it, or a row of RFC 4180. */
const lineOf: Readonly<Record<ExportFormat, (movie: Movie) => string>> = {
  ndjson: (movie) => `${JSON.stringify(movieJson(movie))}\n`,
  csv(movie) {
    const { created_by: creator, ...json } = movieJson(movie)
    const cells: Readonly<Record<keyof Json, unknown>> = { ...json, created_by: creator.id }
    return `${exportColumns.map((column) => cell(cells[column])).join()}\r\n`
  },
}

function cell(value: unknown): string {
  if (value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export type ExportJob = {
  readonly db: Db
  readonly kind: 'postgres' | 'embedded'
  readonly ownerId: number | undefined
  readonly format: ExportFormat
  readonly sink: Sink
  /** Resolves with the name of the signal that ends the work. */
  readonly stopped: Promise<string>
  readonly onMovies: (movies: number) => void
}

/** Writes the movies to the sink; returns the signal that ended this early. */
export const exportMovies = ({ db, format, sink, stopped, onMovies, ...which }: ExportJob) =>
  withMovies(db, which, async (pages): Promise<string | undefined> => {
    // The reader of a pipe may be slow, but a signal ends this at once.
    const write = (text: string) => Promise.race([sink.write(text), stopped])
    let state = await write(beginning[format])
    for await (const page of pages) {
      if (state !== true) break
      state = await write(page.map(lineOf[format]).join(''))
      onMovies(page.length)
    }
    if (typeof state === 'string') return state
    await sink.finish()
  })
