import type { Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'

const CHUNK_BYTES = 262_144
const MAX_HEAD_BYTES = 1_048_576
/** The engine hardly counts chunks, as they are outside its heap, so a long line would leave hundreds of MB. */
const COLLECT_EVERY_BYTES = 16_777_216

type Origin = {
  readonly name: string
  position(): { readonly bytes: number; readonly totalBytes?: number }
  close(): Promise<void>
}
/** The bytes of a file or of standard input, uncompressed. */
export type Bytes = Origin & {
  /** The first bytes, as many as are needed, up to about 1 MiB; they stay part of `chunks`. */
  peek(isEnough: (head: Buffer) => boolean): Promise<{ readonly head: Buffer; readonly isAll: boolean }>
  chunks(): AsyncGenerator<Buffer>
}

export async function openBytes(path: string, stdin: AsyncIterable<Uint8Array>): Promise<Bytes> {
  return path === '-' ? unpacked(openInput(stdin)) : openFileBytes(path)
}

export const openFileBytes = async (path: string): Promise<Bytes> => unpacked(await openFile(path))

function openInput(stdin: AsyncIterable<Uint8Array>): Bytes {
  let bytes = 0
  async function* chunks() {
    for await (const chunk of stdin) {
      bytes += chunk.length
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    }
  }
  // Not closed, because its writer may never write again.
  const origin = { name: 'standard input', position: () => ({ bytes }), close: async () => {} }
  return createBytes(origin, chunks())
}

async function openFile(path: string): Promise<Bytes> {
  try {
    const file = await open(path, 'r')
    const found = await file.stat()
    // A pipe or a device has a size of 0.
    const totalBytes = found.isFile() ? found.size : undefined
    let bytes = 0
    const origin: Origin = {
      name: basename(path),
      position: () => ({ bytes, totalBytes }),
      close: () => file.close(),
    }
    const count = (read: number) => {
      bytes += read
    }
    return createBytes(origin, fileChunks(file, path, count))
  } catch (error) {
    throw aboutFile('read', path, error)
  }
}

async function* fileChunks(file: FileHandle, path: string, count: (read: number) => void) {
  try {
    const before = await file.stat()
    let total = 0
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null)
      total += bytesRead
      if (before.isFile() && isChanged(before, await file.stat(), bytesRead === 0 ? total : undefined))
        throw new OperatorError(`${path} changed while it was read; import it again once it is complete`)
      if (bytesRead === 0) break
      count(bytesRead)
      yield buffer.subarray(0, bytesRead)
    }
  } catch (error) {
    throw aboutFile('read', path, error)
  }
}

/** Asked before a chunk is used: its first row may begin in the old content, and its last may be half a row. */
const isChanged = (before: Stats, now: Stats, readToEnd = now.size) =>
  now.mtimeMs !== before.mtimeMs || now.size !== before.size || readToEnd !== now.size

function createBytes(origin: Origin, source: AsyncGenerator<Buffer>): Bytes {
  let head: Buffer = Buffer.alloc(0)
  let isAll = false
  return {
    ...origin,
    async peek(isEnough) {
      while (!isAll && head.length < MAX_HEAD_BYTES && !isEnough(head)) {
        const next = await source.next()
        if (next.done) isAll = true
        else head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
      }
      return { head, isAll }
    },
    async *chunks() {
      if (head.length > 0) yield head
      head = Buffer.alloc(0)
      let bytes = 0
      for await (const chunk of isAll ? [] : source) {
        yield chunk
        bytes += chunk.length
        if (bytes < COLLECT_EVERY_BYTES) continue
        Bun.gc(true)
        bytes = 0
      }
    },
  }
}

/** The same file, with its bytes read through something. */
export const transformed = (
  bytes: Bytes,
  through: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>,
): Bytes => createBytes(bytes, through(bytes.chunks()))

/** Gzip is known by its first bytes; several members are one file. */
async function unpacked(bytes: Bytes): Promise<Bytes> {
  const { head } = await bytes.peek((found) => found.length >= 2)
  const isGzip = head[0] === 0x1f && head[1] === 0x8b
  if (!isGzip) return bytes
  let unpackedBytes = 0
  const count = (all: number) => {
    unpackedBytes = all
  }
  const unzipped = transformed(bytes, (chunks) => gunzip(bytes.name, chunks, count))
  // A small file is read to its end long before it is unpacked.
  return { ...unzipped, position: () => ({ ...bytes.position(), bytes: unpackedBytes }) }
}

async function* gunzip(
  name: string,
  chunks: AsyncIterable<Buffer>,
  count: (all: number) => void,
): AsyncGenerator<Buffer> {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES })
  // The iteration below throws the same error.
  pipeline(Readable.from(chunks, { objectMode: true }), unzip, () => {})
  try {
    for await (const chunk of unzip) {
      count(unzip.bytesWritten)
      yield chunk
    }
    count(unzip.bytesWritten)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'Z_BUF_ERROR')
      throw new OperatorError(`${name} is incomplete: its gzip data ends before its end`)
    if (code === 'Z_DATA_ERROR') throw new OperatorError(`${name} is damaged: its gzip data isn't valid`)
    throw error
  }
}
