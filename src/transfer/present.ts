import { existsSync } from 'node:fs'
import { visibleJson } from '../visible'
import { adviceFor } from './codes'
import type { ImportOptions } from './options'
import type { Report } from './report'
import type { RowProblem } from './row'

type Voice = {
  readonly print: (line: string) => void
  readonly printText: (text: string) => void
  readonly printError: (line: string) => void
}

/** What ended an import early: a signal, or a problem, which has to be solved before the rest can be added. */
export type End = { readonly signal: string } | { readonly problem: string }

/** Prints the report of an import. */
export function present(report: Report, options: ImportOptions, voice: Voice, end?: End) {
  const problem = end && ('signal' in end ? `interrupted by ${end.signal}` : end.problem)
  const { counts, rejected } = report
  const tell = (line: string) => voice.printError(`redlight import: ${line}`)
  for (const { row, problems } of rejected) tell(`${report.unit} ${row.line}: ${inWords(problems)}`)
  const hidden = counts.rejected - rejected.length
  if (hidden > 0) tell(`and ${number(hidden)} more rejected${whereAll(options, problem)}`)
  if (options.json) voice.printText(visibleJson({ ...counts, reasons: report.reasons(), error: problem }))
  else if (counts.rows > 0 || problem === undefined)
    for (const line of summary(report, options)) voice.print(line)
  if (end !== undefined) tell(`${problem}${counts.rows > 0 ? soFar(report, options, end) : ''}`)
}

function whereAll({ rejectFile }: ImportOptions, problem: string | undefined): string {
  if (rejectFile === undefined) return ' (--reject-file writes them all)'
  return problem === undefined ? `; ${rejectFile} has them all` : ''
}

const inWords = (problems: readonly RowProblem[]) =>
  problems.map(({ field, message }) => `${field} ${message}`).join('; ')

function soFar({ counts }: Report, { dryRun, rejectFile }: ImportOptions, end: End): string {
  if (dryRun) return ' (dry run: nothing was written)'
  const written = counts.added + counts.updated
  const movies = written === 1 ? '1 movie is' : `${number(written)} movies are`
  const again = rejectFile !== undefined && existsSync(rejectFile) ? 'with another --reject-file' : 'again'
  const when = 'signal' in end ? '' : ', once that is solved'
  return `; ${movies} written, and the same command ${again} adds the rest${when}`
}

/** The counts on a line, then each reason, with the option that would rescue its rows. */
function summary(report: Report, options: ImportOptions): string[] {
  const { rows, not_movies: notMovies, ...others } = report.counts
  const parts = Object.entries({ ...others, 'not movies': notMovies })
  const counts = parts.map(([name, count]) => `${number(count)} ${name}`).join(', ')
  const reasons = Object.entries(report.reasons())
  const width = Math.max(0, ...reasons.map(([reason]) => reason.length))
  return [
    `${number(rows)} ${rows === 1 ? 'row' : 'rows'}: ${counts}${options.dryRun ? ' (dry run: nothing was written)' : ''}`,
    ...reasons.map(([reason, count]) => {
      const advice = adviceFor(reason, options, {
        isAll: count === rows,
        isMisread: report.isMisread(reason),
      })
      const line = `${number(count).padStart(8)}  ${reason}`
      return advice === undefined ? line : `${line.padEnd(10 + width)}  ${advice}`
    }),
  ]
}

const number = (value: number) => value.toLocaleString('en')
