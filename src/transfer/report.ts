import type { Outcome } from './decide'
import { otherEncoding } from './decode'
import type { Row, RowProblem, Source } from './row'

export type Counts = {
  readonly rows: number
  readonly added: number
  readonly updated: number
  readonly unchanged: number
  readonly skipped: number
  readonly rejected: number
  readonly not_movies: number
}
export type Settled = { readonly row: Row; readonly outcome: Outcome }
export type Rejected = { readonly row: Row; readonly problems: readonly RowProblem[] }

export type Report = {
  /** What `line` of a row counts. */
  unit: Source['unit']
  add(settled: readonly Settled[]): void
  /** The counts as they would be with these rows. */
  countsWith(settled: readonly Settled[]): Counts
  readonly counts: Counts
  /** Number of rows by `field: code`, the largest first. */
  reasons(): Readonly<Record<string, number>>
  /** Whether such rows may be in another encoding than they were read in. */
  isMisread(reason: string): boolean
  /** The first few. */
  readonly rejected: readonly Rejected[]
}

export const hasWritten = ({ counts }: Report) => counts.added + counts.updated > 0

const NONE: Counts = {
  rows: 0,
  added: 0,
  updated: 0,
  unchanged: 0,
  skipped: 0,
  rejected: 0,
  not_movies: 0,
}
const MAX_SHOWN = 10

export const isRejected = (outcome: Outcome): outcome is readonly RowProblem[] => typeof outcome !== 'string'
export const rejectedOf = (settled: readonly Settled[]): Rejected[] =>
  settled.flatMap(({ row, outcome }) => (isRejected(outcome) ? [{ row, problems: outcome }] : []))

const reasonOf = ({ field, code }: RowProblem) => `${field}: ${code}`

export function createReport(): Report {
  let counts = NONE
  const reasons = new Map<string, number>()
  const misread = new Set<string>()
  const shown: Rejected[] = []

  function countsWith(settled: readonly Settled[]): Counts {
    const sum = { ...counts }
    for (const { outcome } of settled) {
      sum.rows++
      sum[isRejected(outcome) ? 'rejected' : outcome]++
    }
    return sum
  }
  return {
    unit: 'line',
    countsWith,
    add(settled) {
      counts = countsWith(settled)
      const rejected = rejectedOf(settled)
      shown.push(...rejected.slice(0, MAX_SHOWN - shown.length))
      for (const { problems } of rejected) {
        for (const reason of new Set(problems.map(reasonOf)))
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        for (const problem of problems)
          if (problem.message.endsWith(otherEncoding)) misread.add(reasonOf(problem))
      }
    },
    get counts() {
      return counts
    },
    reasons: () => Object.fromEntries([...reasons].sort(([, a], [, b]) => b - a)),
    isMisread: (reason) => misread.has(reason),
    rejected: shown,
  }
}
