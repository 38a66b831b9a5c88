import type { Author } from '../audit/model'
import type { UniqueBy } from '../config/config'
import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import { inspectDatabase } from '../migrations/inspect'
import { appliedMigrations, migrate } from '../migrations/migrate'
import { findUniqueBy, setUniqueBy } from '../migrations/unique-by'
import type { Progress } from '../terminal/progress'
import { openCatalogue, openRehearsal } from './catalogue-store'
import { importRows } from './import'
import type { ImportOptions } from './options'
import { openRejectFile } from './reject-file'
import { hasWritten, type Report } from './report'
import type { Source } from './row'
import { createTrail } from './trail'

export type Target = {
  readonly db: Db
  readonly kind: 'postgres' | 'embedded'
  /** The unique rule of the configuration, for a database that is migrated now. */
  readonly uniqueBy: UniqueBy
  readonly ownerId: number
}
type Run = {
  readonly source: Source
  readonly target: Target
  readonly options: ImportOptions
  readonly report: Report
  readonly stopped: Promise<string>
  readonly bar: Progress
  readonly author: Author
}

/** The embedded database works on a batch in one piece, while requests wait. */
const BATCH_ROWS = { postgres: 1000, embedded: 200 } as const

/** The engine counts the memory of the embedded database as its own, and by itself collects garbage far too late. */
const COLLECT_EVERY_MS = 2000

/** Imports an open source; returns the signal that stopped it. */
export async function runImport({ source, target, options, report, stopped, bar, author }: Run) {
  const { db, ownerId } = target
  const { owner, onDuplicate, require: required = [], rejectFile: rejectPath, dryRun = false } = options
  report.unit = source.unit
  await using opened = new AsyncDisposableStack()
  const rejectFile = rejectPath === undefined ? undefined : await openRejectFile(rejectPath)
  opened.defer(() => rejectFile?.close())
  const catalogue = dryRun ? await openRehearsal(db) : openCatalogue(db)
  opened.defer(() => catalogue.close())
  const trail = createTrail(author, { name: source.name, format: source.format, owner })
  /** The last batches may have written nothing. */
  async function finishTrail() {
    if (!dryRun && hasWritten(report)) await db.transaction((tx) => trail(tx, report.counts, false))
  }
  const uniqueRule = async () => (await findUniqueBy(db)) ?? target.uniqueBy
  const collecting = setInterval(Bun.gc, COLLECT_EVERY_MS, true)
  opened.defer(() => clearInterval(collecting))
  const signal = await importRows({
    source,
    catalogue,
    policy: { onDuplicate, ownerId, changesAll: owner === undefined, uniqueBy: await uniqueRule() },
    findUniqueBy: uniqueRule,
    required,
    batchRows: BATCH_ROWS[target.kind],
    report,
    trail,
    rejectFile,
    stopped,
    onProgress(more) {
      const { bytes, totalBytes } = source.position()
      const { rows } = report.counts
      if (totalBytes === undefined || bytes === 0) bar.advance(more)
      else bar.reach(rows, Math.max(rows, Math.round((rows * totalBytes) / bytes)))
    },
  }).catch(async (error: unknown) => {
    // Fails too if it was the database that failed.
    await finishTrail().catch(() => {})
    throw error
  })
  await finishTrail()
  return signal
}

/** Brings the schema up to date. A dry run changes no database but an empty embedded one, which is temporary. */
export async function prepareDatabase(
  { db, kind, uniqueBy }: Omit<Target, 'ownerId'>,
  { dryRun = false }: Pick<ImportOptions, 'dryRun'>,
) {
  const isToMigrate = !dryRun || (kind === 'embedded' && (await appliedMigrations(db)).length === 0)
  if (isToMigrate && (await migrate(db)) > 0) await setUniqueBy(db, uniqueBy)
  if (!isToMigrate && (await inspectDatabase(db)).pending > 0)
    throw new OperatorError('the database is not up to date: run "redlight migrate" first')
}
