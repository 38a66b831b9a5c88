import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { compose } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import { damaged, decodeHeader, HEADER_BYTES, type Manifest, type TableEntry } from './manifest'
import type { OnRows } from './write'

const BATCH_BYTES = 1_048_576
// Far longer than any row; anything longer is damage.
const MAX_LINE_BYTES = 16 * 1_048_576
const NEWLINE = 10

/** Rows of a table, each a JSON object and a newline. */
export type Batch = { readonly table: TableEntry; readonly rows: number; readonly bytes: Buffer }

export async function readManifest(path: string): Promise<Manifest> {
  try {
    await using file = await open(path, 'r')
    const header = Buffer.alloc(HEADER_BYTES)
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0)
    const manifest = decodeHeader(header.subarray(0, bytesRead), path)
    const { size } = await file.stat()
    if (size !== HEADER_BYTES + manifest.bytes) throw damaged(path, `it has ${size} bytes`)
    return manifest
  } catch (error) {
    throw aboutFile('read', path, error)
  }
}

/** Reads the whole file, and throws if any row differs from what was written. */
export async function verifyFile(path: string, manifest: Manifest, onRows: OnRows): Promise<void> {
  for await (const batch of batches(path, manifest)) onRows(batch.rows)
}

/** Rows of all tables; a table's last batch comes only after its SHA-256 has been checked. */
export async function* batches(path: string, manifest: Manifest): AsyncGenerator<Batch> {
  const source = chunks(path, manifest)
  let rest: Buffer = Buffer.alloc(0)
  for (const table of manifest.tables) {
    const hash = new Bun.CryptoHasher('sha256')
    for (let missing = table.rows; missing > 0; ) {
      const found = wholeLines(rest, missing)
      if (found.rows === 0) {
        rest = await more(source, rest, path, table)
        continue
      }
      const bytes = rest.subarray(0, found.end)
      rest = rest.subarray(found.end)
      missing -= found.rows
      hash.update(bytes)
      if (missing === 0 && hash.digest('hex') !== table.sha256)
        throw damaged(path, `the rows of ${table.name}`)
      yield { table, rows: found.rows, bytes }
    }
  }
  if (rest.length > 0 || !(await source.next()).done)
    throw damaged(path, 'it has more data than the manifest lists')
}

/** The uncompressed data, in pieces worth a query each. */
async function* chunks(path: string, { sha256 }: Manifest): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { start: HEADER_BYTES })
  const hash = new Bun.CryptoHasher('sha256')
  let [collected, bytes]: [Buffer[], number] = [[], 0]
  try {
    for await (const chunk of compose(file, hashing(hash), createZstdDecompress())) {
      collected.push(chunk)
      bytes += chunk.length
      if (bytes < BATCH_BYTES) continue
      yield Buffer.concat(collected)
      ;[collected, bytes] = [[], 0]
    }
  } catch (error) {
    const problem = aboutFile('read', path, error)
    throw problem instanceof OperatorError ? problem : damaged(path, 'its compression')
  } finally {
    file.destroy()
  }
  if (hash.digest('hex') !== sha256) throw damaged(path, 'its bytes')
  if (bytes > 0) yield Buffer.concat(collected)
}

const hashing = (hash: Bun.CryptoHasher) =>
  async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }

async function more(source: AsyncGenerator<Buffer>, rest: Buffer, path: string, table: TableEntry) {
  const next = await source.next()
  if (next.done) throw damaged(path, `it ends within ${table.name}`)
  if (rest.length > MAX_LINE_BYTES) throw damaged(path, `a row of ${table.name}`)
  return Buffer.concat([rest, next.value])
}

/** End of the last of at most `max` lines, and their number. */
function wholeLines(bytes: Buffer, max: number): { end: number; rows: number } {
  let [end, rows] = [0, 0]
  while (rows < max) {
    const newline = bytes.indexOf(NEWLINE, end)
    if (newline < 0) break
    end = newline + 1
    rows++
  }
  return { end, rows }
}
