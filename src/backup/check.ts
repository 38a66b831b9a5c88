import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import type { Log } from '../log'
import { migrate } from '../migrations/migrate'
import { withTemporaryDatabase } from '../opening/temporary'
import type { Manifest, TableEntry } from './manifest'
import { restoreBackup } from './restore'
import { withSnapshot } from './snapshot'
import { type OnRows, rowsOf } from './write'

/**
 * Restores a backup into a temporary embedded database, reads everything back and compares: a backup that
 * passes can be restored. Counts each row twice: restored, then read. Needs no rights on a server, only space
 * for temporary files.
 */
export async function checkBackup(path: string, manifest: Manifest, log: Log, onRows: OnRows): Promise<void> {
  await withTemporaryDatabase(log, async ({ db }) => {
    const options = { replace: true, keepSessions: true, author: undefined }
    await restoreBackup(db, path, manifest, options, onRows)
    compare(path, manifest.tables, await tablesOf(db, onRows))
    await migrate(db)
  })
}

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
