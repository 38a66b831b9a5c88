import { statfsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import type { Log } from '../log'
import { migrate } from '../migrations/migrate'
import { openDatabaseAlone } from '../opening/open'
import type { Manifest, TableEntry } from './manifest'
import { restoreBackup } from './restore'
import { withSnapshot } from './snapshot'
import { type OnRows, rowsOf } from './write'

const WAIT_MS = 30_000
/** PostgreSQL extends its log by 16 MB at once. */
const NEARLY_FULL_BYTES = 32 * 1_048_576

/**
 * Restores a backup into a temporary embedded database, reads everything back and compares: a backup that
 * passes can be restored. Counts each row twice: restored, then read. Needs no rights on a server, only space
 * for temporary files.
 */
export async function checkBackup(path: string, manifest: Manifest, log: Log, onRows: OnRows): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'redlight-check-')).catch((error) => {
    throw aboutFile('write a temporary folder in', tmpdir(), error)
  })
  try {
    const scratch = await openDatabaseAlone({ kind: 'embedded', dataDir, poolMax: 1, waitMs: WAIT_MS }, log)
    try {
      const options = { replace: true, keepSessions: true, author: undefined }
      await restoreBackup(scratch.db, path, manifest, options, onRows)
      compare(path, manifest.tables, await tablesOf(scratch.db, onRows))
      await migrate(scratch.db)
    } finally {
      await scratch.close()
    }
  } catch (error) {
    throw isNearlyFull(dataDir) ? temporaryDiskFull() : error
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** The database's own error for that is a different one each time. */
function isNearlyFull(folder: string): boolean {
  const { bavail, bsize, files, ffree } = statfsSync(folder)
  return bavail * bsize < NEARLY_FULL_BYTES || (files > 0 && ffree < 100)
}

const temporaryDiskFull = () =>
  new OperatorError(
    `the disk for temporary files (${tmpdir()}) is full, or nearly: free some space there, or set TMPDIR to a folder on another disk`,
  )

function tablesOf(db: Db, onRows: OnRows): Promise<TableEntry[]> {
  return withSnapshot(db, 'embedded', async (snapshot) => {
    const tables: TableEntry[] = []
    for await (const _ of rowsOf(snapshot, tables, onRows));
    return tables
  })
}

function compare(path: string, wanted: readonly TableEntry[], found: readonly TableEntry[]) {
  const other = wanted.find((table, index) => JSON.stringify(table) !== JSON.stringify(found[index]))
  if (other !== undefined || wanted.length !== found.length)
    throw new OperatorError(
      `${path} does not come back as it was (${other?.name ?? 'its tables'}): keep the older ones, and report this`,
    )
}
