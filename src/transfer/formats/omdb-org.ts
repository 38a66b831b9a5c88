import { join } from 'node:path'
import { OperatorError } from '../../errors'
import { openFileBytes } from '../bytes'
import type { Dialect } from '../cells'
import type { Decode } from '../decode'
import { createRecordReader, LF } from '../records'
import { type Row, rejected } from '../row'
import type { Format, Reading } from './format'

/** Backslashes make the quote or backslash behind them literal, and a bare \N is nothing. */
const dialect: Dialect = { delimiter: ',', quote: '"', escape: '\\' }

/** The data of omdb.org: movies in one file of a folder, runtimes and genres in others. */
export const omdbOrg: Format = {
  name: 'omdb-org',
  shape: 'table',
  isFolder: true,
  isKnownBy: (names) => names.join() === 'id,name,parent_id,date',
  columns: { name: 'title', date: 'release_date' },
  dialect,
}

export const MOVIES_FILE = 'all_movies.csv'

/** What the other files say about the movies, and the rows of them that couldn't be read. */
export type Details = { readonly format: Format; readonly rejected: readonly Row[] }

/** Reads runtimes and genres, which are small enough to be held. */
export async function readDetails(folder: string, decode: Decode): Promise<Details> {
  const files = { folder, decode, rejected: [] as Row[] }
  const runtimes = new Map<number, string>()
  for await (const [movie = '', runtime = ''] of rowsOf(files, 'movie_details.csv', [
    'movie_id',
    'runtime',
  ])) {
    if (runtime !== '0') runtimes.set(Number(movie), runtime)
    refuseTooMany(runtimes)
  }
  const genres = await readGenres(files)
  const details: Reading = (id) => ({ runtime: runtimes.get(Number(id)), genres: genres(Number(id)) })
  const columns = { ...omdbOrg.columns, id: details }
  return { format: { ...omdbOrg, isFolder: undefined, columns }, rejected: files.rejected }
}

type Files = { readonly folder: string; readonly decode: Decode; readonly rejected: Row[] }

const GENRES_ROOT = '1'

async function readGenres(files: Files): Promise<(movie: number) => string[] | undefined> {
  const isGenre = new Set<string>()
  for await (const [id = '', root] of rowsOf(files, 'all_categories.csv', ['id', 'root_id']))
    if (root === GENRES_ROOT && id !== GENRES_ROOT) isGenre.add(id)
  const names = new Map<string, string>()
  const columns = ['category_id', 'name', 'language_iso_639_1']
  for await (const [id = '', name = '', language] of rowsOf(files, 'category_names.csv', columns))
    if (language === 'en' && isGenre.has(id) && !names.has(id)) names.set(id, name)

  const lists = createSharedLists()
  const ofMovies = new Map<number, readonly string[]>()
  for await (const [movie, id = ''] of rowsOf(files, 'movie_categories.csv', ['movie_id', 'category_id'])) {
    const name = names.get(id)
    if (name !== undefined) ofMovies.set(Number(movie), lists.extended(ofMovies.get(Number(movie)), name))
    refuseTooMany(ofMovies)
  }
  return (movie) => ofMovies.get(movie)?.slice()
}

/** Lists of which equal ones are the same, because many movies have the same genres. */
function createSharedLists() {
  const next = new Map<readonly string[], Map<string, readonly string[]>>()
  const empty: readonly string[] = []
  return {
    extended(list: readonly string[] = empty, name: string): readonly string[] {
      const longer = next.get(list) ?? new Map<string, readonly string[]>()
      next.set(list, longer)
      const found = longer.get(name) ?? [...list, name]
      longer.set(name, found)
      return found
    },
  }
}

const MAX_MOVIES = 1_000_000

function refuseTooMany({ size }: ReadonlyMap<number, unknown>) {
  if (size > MAX_MOVIES) throw new OperatorError(`a folder of omdb.org may have up to ${MAX_MOVIES} movies`)
}

const MAX_BROKEN_ROWS = 1000

/** These columns of a file, row by row. */
async function* rowsOf({ folder, decode, rejected: bad }: Files, file: string, columns: readonly string[]) {
  const bytes = await openFileBytes(join(folder, file))
  try {
    let places: readonly number[] | undefined
    let width = 0
    for await (const { line, cells, problem, beginning } of recordsOf(bytes.chunks(), decode)) {
      if (places === undefined) {
        places = columns.map((column) => cells.indexOf(column))
        width = cells.length
        if (places.includes(-1))
          throw new OperatorError(`${file} must have the columns ${columns.join(', ')}, as omdb.org's has`)
      } else if (problem === undefined && cells.length === width) yield places.map((place) => cells[place])
      else if (problem !== undefined || cells.some((cell) => cell !== '')) {
        if (bad.length === MAX_BROKEN_ROWS)
          throw new OperatorError(
            `${file} has more than ${MAX_BROKEN_ROWS} broken rows, so it is not omdb.org's`,
          )
        const message = `${problem?.message ?? `must have ${width} columns`} (in ${file})`
        bad.push(rejected(line, { field: 'row', code: problem?.code ?? 'columns', message }, beginning()))
      }
    }
  } finally {
    await bytes.close()
  }
}

async function* recordsOf(chunks: AsyncIterable<Buffer>, decode: Decode) {
  const reader = createRecordReader(dialect, decode, LF)
  for await (const chunk of chunks) yield* reader.push(chunk)
  yield* reader.end()
}
