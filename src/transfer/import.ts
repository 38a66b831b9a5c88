import { constraintFailure, isRefused } from '../db/errors'
import { Failure } from '../errors'
import { batchesOf } from './batches'
import { type Catalogue, ChangedMeanwhile } from './catalogue-store'
import { decide, type Keyed, type Outcome, type Policy } from './decide'
import { createHalt } from './halt'
import { type Candidate, type Judged, judge } from './judge'
import type { RejectFile } from './reject-file'
import { hasWritten, type Report, rejectedOf, type Settled } from './report'
import { type MovieField, movieFields, type Row, type RowProblem, type Source } from './row'
import { createShelf, type Shelf } from './shelf'
import type { Trail } from './trail'

export type ImportJob = {
  readonly source: Source
  readonly catalogue: Catalogue
  readonly policy: Policy
  /** Asked again when a write meets another's, as it may have changed. */
  readonly findUniqueBy: () => Promise<Policy['uniqueBy']>
  readonly required: readonly MovieField[]
  readonly batchRows: number
  readonly report: Report
  readonly rejectFile: RejectFile | undefined
  /** Resolves to stop after the batch that is being written. */
  readonly stopped: Promise<string>
  /** Called when so many more rows are settled. */
  readonly onProgress: (rows: number) => void
  readonly trail: Trail
}

/** Imports all rows in batches, of which each is written whole or not at all; returns the signal that stopped it. */
export async function importRows(job: ImportJob): Promise<string | undefined> {
  const halt = createHalt(job.stopped)
  const batches = batchesOf(job.source.rows, job.batchRows)
  let writing = Promise.resolve()
  try {
    for (;;) {
      const next = await halt.before(batches.next())
      if (typeof next === 'string') return next
      await writing
      // The embedded database answers without I/O: signals would wait as long as rows are at hand.
      await new Promise(setImmediate)
      if (next.done) return undefined
      // The next batch is read meanwhile.
      writing = settle(job, next.value)
      writing.catch(halt.fail)
    }
  } finally {
    await writing
  }
}

async function settle(job: ImportJob, rows: readonly Row[]) {
  const judged = rows.map((row) => judge(row, job.required))
  try {
    await conclude(job, await attempt(job, job.policy, judged))
  } catch (error) {
    if (!isRefused(error) && !(error instanceof ChangedMeanwhile)) throw error
    for (const row of judged) await conclude(job, await settleAlone(job, row))
  }
}

async function conclude({ report, rejectFile, onProgress }: ImportJob, settled: readonly Settled[]) {
  report.add(settled)
  onProgress(settled.length)
  await rejectFile?.add(rejectedOf(settled))
}

/** Decides about the rows, one after another, and writes what that changes in one transaction. */
async function attempt(job: ImportJob, policy: Policy, judged: readonly Judged[]): Promise<Settled[]> {
  const { catalogue, report, trail } = job
  const candidates = judged.filter(isCandidate)
  const { keyed, found } = await catalogue.find(candidates)
  const shelf = createShelf(found)
  const settled = judged.map((row) => ({ row: row.row, outcome: outcomeOf(row, keyed, shelf, policy) }))
  const changed = shelf.changed()
  if (changed.length > 0)
    await catalogue.write(changed, (tx) => trail(tx, report.countsWith(settled), !hasWritten(report)))
  return settled
}

const isCandidate = (judged: Judged): judged is Candidate => 'movie' in judged

function outcomeOf(
  judged: Judged,
  keyed: ReadonlyMap<Candidate, Keyed>,
  shelf: Shelf,
  policy: Policy,
): Outcome {
  if ('problems' in judged) return judged.problems
  const row = isCandidate(judged) ? keyed.get(judged) : undefined
  return row === undefined ? 'not_movies' : decide(row, shelf, policy)
}

/** Every failed try met another writer, so more are practically never needed. */
const MAX_TRIES = 5

/** A row of a batch in which somebody else has just taken a title, an id or a movie. */
async function settleAlone(job: ImportJob, judged: Judged): Promise<Settled[]> {
  for (let tries = 1; ; tries++) {
    const uniqueBy = await job.findUniqueBy()
    try {
      return await attempt(job, { ...job.policy, uniqueBy }, [judged])
    } catch (error) {
      const problems = problemsOf(error)
      if (problems !== undefined) return [{ row: judged.row, outcome: problems }]
      if (tries === MAX_TRIES || !(isRefused(error) || error instanceof ChangedMeanwhile)) throw error
    }
  }
}

/** What a constraint of the database has against a row: the rules are its own, but an operator may add some. */
function problemsOf(error: unknown): RowProblem[] | undefined {
  const failure = constraintFailure(error, 'movies', {})
  if (!(failure instanceof Failure) || typeof failure.detail.error !== 'object') return undefined
  return Object.entries(failure.detail.error).map(([name, message]) => ({
    field: movieFields.find((field) => field === name) ?? 'row',
    code: 'type',
    message,
  }))
}
