import { openSource } from '../../src/transfer/open'
import type { ReadOptions, Row, Source } from '../../src/transfer/row'

const defaults: ReadOptions = { map: new Map(), articles: 'keep', extraGenres: 'reject' }

export async function* piecesOf(content: string | Uint8Array, bytes: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(content)
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes)
}

type Options = Partial<Omit<ReadOptions, 'map'>> & { map?: Record<string, string>; pieces?: number }

/** Opens content as if it came through standard input, in pieces. */
export const openContent = (
  content: string | Uint8Array,
  { map = {}, pieces = 1_000_000, ...options }: Options = {},
): Promise<Source> =>
  openSource('-', piecesOf(content, pieces), { ...defaults, ...options, map: new Map(Object.entries(map)) })

/** All rows of a file's content. */
export async function readContent(content: string | Uint8Array, options: Options = {}): Promise<Row[]> {
  const source = await openContent(content, options)
  const rows = await Array.fromAsync(source.rows)
  await source.close()
  return rows
}

/** The fields of a row, or the reasons why it can't be one. */
export const outcome = ({ kind, fields, problems }: Row): unknown => {
  if (kind === 'not_movie') return kind
  return problems.length === 0 ? fields : problems.map(({ field, code }) => `${field}: ${code}`)
}
export const outcomes = async (content: string | Uint8Array, options?: Options) =>
  (await readContent(content, options)).map(outcome)
