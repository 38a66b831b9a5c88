import { statfsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseConfig } from '../config/database'
import type { Database } from '../db/client'
import { OperatorError } from '../errors'
import { aboutFile } from '../file-problem'
import type { Log } from '../log'
import { openDatabaseAlone, openDatabaseBesideServer } from './open'
import { useAndClose } from './use'

const WAIT_MS = 30_000
/** PostgreSQL extends its log by 16 MB at once. */
const NEARLY_FULL_BYTES = 32 * 1_048_576

/** Unlike any name that somebody may give a DATA_DIR. */
const PREFIX = 'redlight-temporary-'

/** Removes what killed processes have left. */
async function removeLeftovers() {
  const { isAbandoned } = await import('../embedded/folder')
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) {
    const folder = join(tmpdir(), name)
    if (name.startsWith(PREFIX) && isAbandoned(folder))
      await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

/** Runs work on an empty embedded database, which is removed afterwards. */
export async function withTemporaryDatabase<T>(
  log: Log,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  await removeLeftovers()
  const dataDir = await mkdtemp(join(tmpdir(), PREFIX)).catch((error) => {
    throw aboutFile('write a temporary folder in', tmpdir(), error)
  })
  try {
    const database = await openDatabaseAlone({ kind: 'embedded', dataDir, poolMax: 1, waitMs: WAIT_MS }, log)
    return await useAndClose(database, work)
  } catch (error) {
    throw isNearlyFull(dataDir) ? temporaryDiskFull() : error
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Runs work that leaves nothing behind: if the embedded database hasn't been created yet, on a temporary one. */
export async function withDatabaseIfThere<T>(
  config: DatabaseConfig,
  log: Log,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  if (config.kind === 'embedded') {
    const { isFirstStart } = await import('../embedded/folder')
    if (isFirstStart(config.dataDir)) return withTemporaryDatabase(log, work)
  }
  const database = await openDatabaseBesideServer(config, log)
  return await useAndClose(database, work)
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
