import { stat } from 'node:fs/promises'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import { type Bytes, openBytes, transformed } from './bytes'
import { utf16ToUtf8 } from './decode'
import { openJson } from './json'
import { beginsJson } from './json-layout'
import { beginsRejectFile } from './json-rows'
import { refuseOthers } from './refuse'
import type { ReadOptions, Source } from './row'
import { type Settings, settingsOf } from './settings'
import { openTable } from './table'

/** Opens a file, "-" for standard input, or a folder of omdb.org's files, whose format is known by its beginning. */
export async function openSource(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  options: ReadOptions,
): Promise<Source> {
  const settings = settingsOf(options)
  if (path !== '-' && (await isFolder(path))) throw new OperatorError(`${path} is a folder: name a file`)
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

const BEGINNING = 2048

async function openReadable(raw: Bytes, given: Settings): Promise<Source> {
  const { head } = await raw.peek((start) => start.length >= BEGINNING)
  const isRejectFile = beginsRejectFile(head)
  // The same command must import what is left of a file, whatever that was.
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
