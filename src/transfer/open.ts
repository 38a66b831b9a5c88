import { exists, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import { type Bytes, openBytes, openFileBytes, transformed } from './bytes'
import { decoderOf, utf16ToUtf8 } from './decode'
import { MOVIES_FILE, omdbOrg, readDetails } from './formats/omdb-org'
import { openJson } from './json'
import { beginsJson } from './json-layout'
import { isOfRejectFile, mayBeginRejectFile } from './json-rows'
import { LF } from './records'
import { refuseOthers } from './refuse'
import type { ReadOptions, Row, Source } from './row'
import { type Settings, settingsOf } from './settings'
import { openTable } from './table'

/** Opens a file, "-" for standard input, or a folder of omdb.org's files, whose format is known by its beginning. */
export async function openSource(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): Promise<Source> {
  const settings = settingsOf(options)
  if (path !== '-' && (await isFolder(path))) return openFolder(path, settings)
  const bytes = await openBytes(path, stdin)
  try {
    return await openReadable(bytes, settings)
  } catch (error) {
    await bytes.close()
    throw error
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw aboutFile('read', path, error)
  }
}

async function openFolder(path: string, settings: Settings): Promise<Source> {
  const isMoviesFile = await exists(join(path, MOVIES_FILE))
  if (!isMoviesFile || (settings.format?.name ?? omdbOrg.name) !== omdbOrg.name)
    throw new OperatorError(
      `${path} is a folder: name a file (the only folder that can be imported is that of omdb.org, with ${MOVIES_FILE})`,
    )
  const { format, rejected } = await readDetails(path, decoderOf(settings.encoding))
  const bytes = await openFileBytes(join(path, MOVIES_FILE))
  const source = await openTable(bytes, { ...settings, format }).catch(async (error: unknown) => {
    await bytes.close()
    throw error
  })
  return { ...source, rows: inTurn(rejected, source.rows) }
}

async function* inTurn(first: readonly Row[], then: AsyncIterable<Row>): AsyncGenerator<Row> {
  yield* first
  yield* then
}

const BEGINNING = 2048
/** A first line, or enough to know what a file is. An input that goes on slowly isn't waited for. */
const isKnowable = (start: Buffer) =>
  start.length >= BEGINNING || /\S.*\n/.test(start.toString('latin1', 0, BEGINNING))

async function isRejectFileIn(bytes: Bytes, start: Buffer): Promise<boolean> {
  if (!mayBeginRejectFile(start)) return false
  const { head } = await bytes.peek((found) => found.includes(LF))
  const [line = ''] = head.toString().trimStart().split('\n', 1)
  return isOfRejectFile(line)
}

async function openReadable(raw: Bytes, given: Settings): Promise<Source> {
  const { head } = await raw.peek(isKnowable)
  const isRejectFile = await isRejectFileIn(raw, head)
  // The same command must be able to import the rest of any file.
  const settings: Settings = isRejectFile
    ? { ...given, format: undefined, encoding: 'utf-8', mapping: new Map() }
    : given
  const mark = refuseOthers(raw.name, head, settings)
  const unmarked = mark === 0 ? raw : transformed(raw, (chunks) => without(mark, chunks))
  const bytes = settings.encoding === 'utf-16le' ? transformed(unmarked, utf16ToUtf8) : unmarked
  const start = await bytes.peek((found) => found.toString('latin1').trim() !== '')
  const isJson = beginsJson(start.head)
  const shape = settings.format?.shape ?? (isJson ? 'json' : 'table')
  if (start.head.toString('latin1').trim() === '') throw new OperatorError(`${bytes.name} is empty`)
  if (shape === 'json' && !isJson)
    throw new OperatorError(`${bytes.name} is not JSON: it begins neither with { nor with [`)
  return shape === 'json' || (shape === 'any' && isJson)
    ? openJson(bytes, settings)
    : openTable(bytes, settings)
}

async function* without(length: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let left = length
  for await (const chunk of chunks) {
    const skipped = Math.min(left, chunk.length)
    left -= skipped
    if (skipped < chunk.length) yield chunk.subarray(skipped)
  }
}
