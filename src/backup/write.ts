import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import { encodeHeader, HEADER_BYTES, type Manifest, newManifest, type TableEntry } from './manifest'
import { type Snapshot, withSnapshot } from './snapshot'

/** Called after each step with its number of rows; may throw to stop the work. */
export type OnRows = (rows: number) => void

export type BackupJob = {
  readonly db: Db
  readonly kind: 'postgres' | 'embedded'
  readonly path: string
  /** Version of the program. */
  readonly redlight: string
  readonly onRows: OnRows
  /** Checks the file before it gets its final name. */
  readonly check?: (path: string, manifest: Manifest) => Promise<void>
}

/**
 * Writes the whole database to a file, which gets its final name only when it is on the disk, complete and
 * checked.
 */
export async function takeBackup({ db, kind, path, redlight, onRows, check }: BackupJob): Promise<Manifest> {
  const target = await replaceable(path)
  const unfinished = `${target}.${process.pid}.unfinished`
  try {
    const manifest = await withSnapshot(db, kind, (snapshot) =>
      writeFile(snapshot, unfinished, redlight, onRows),
    )
    await check?.(unfinished, manifest)
    await rename(unfinished, target)
    await syncFolder(dirname(target))
    return manifest
  } catch (error) {
    throw aboutFile('write', path, error)
  } finally {
    await rm(unfinished, { force: true }).catch(() => {})
  }
}

/** The file itself behind a link. Renaming would put the backup in the place of a link, or of a device. */
async function replaceable(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || found.isDirectory()) return path
  if (found.isFile()) return await realpath(path)
  throw new OperatorError(`${path} is a device or a pipe, which can't hold a backup: name a file`)
}

async function writeFile(snapshot: Snapshot, path: string, redlight: string, onRows: OnRows) {
  await using file = await open(path, 'wx', 0o600)
  const takenAt = new Date().toISOString()
  const tables: TableEntry[] = []
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const hash = new Bun.CryptoHasher('sha256')
  let bytes = 0
  await pipeline(rowsOf(snapshot, tables, onRows), compress, async (chunks) => {
    for await (const chunk of chunks) {
      await writeAt(file, HEADER_BYTES + bytes, chunk)
      bytes += chunk.length
      hash.update(chunk)
    }
  })
  const manifest = newManifest({
    redlight,
    taken_at: takenAt,
    schema: snapshot.schema,
    ...(snapshot.uniqueBy === 'title,year' ? { unique_by: snapshot.uniqueBy } : {}),
    bytes,
    sha256: hash.digest('hex'),
    tables,
  })
  await writeAt(file, 0, encodeHeader(manifest))
  await file.sync()
  return manifest
}

/** All rows of all tables; each table's manifest entry is added to `tables` once the table is done. */
export async function* rowsOf(
  snapshot: Snapshot,
  tables: TableEntry[],
  onRows: OnRows,
): AsyncGenerator<Buffer> {
  for (const { name, columns, nextId, pages } of snapshot.tables) {
    const hash = new Bun.CryptoHasher('sha256')
    let rows = 0
    for await (const page of pages()) {
      const bytes = Buffer.from(page.text)
      hash.update(bytes)
      rows += page.rows
      onRows(page.rows)
      yield bytes
    }
    tables.push({ name, columns: [...columns], rows, sha256: hash.digest('hex'), next_id: nextId })
  }
}

async function writeAt(file: FileHandle, position: number, bytes: Buffer) {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

/** Otherwise a power cut might undo the rename. */
async function syncFolder(path: string) {
  await using folder = await open(path, 'r')
  await folder.sync()
}
