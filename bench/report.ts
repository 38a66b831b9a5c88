import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Figures, Measured } from './measure'
import { run } from './processes'
import { type Bound, isMet } from './target'
import type { Workplace } from './workplace'

export type Result = Measured & { row: string; what: string; target?: Bound }
/** The circumstances that figures depend on. */
export type Circumstances = Awaited<ReturnType<typeof circumstances>>

const RESULTS = join(import.meta.dir, 'results')

export async function circumstances({ rows, rounds, seconds, client, postgresVersion }: Workplace) {
  const root = join(import.meta.dir, '..')
  const unknown = () => 'unknown'
  return {
    date: new Date().toISOString(),
    commit: (await run(['git', 'describe', '--always', '--dirty'], root).catch(unknown)).trim(),
    machine: {
      processor: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 1024 ** 3),
      linux: release(),
    },
    versions: { bun: Bun.version, postgres: postgresVersion },
    options: { rows, rounds, seconds, client },
  }
}

export function heading({ date, commit, machine, versions, options }: Circumstances): string {
  const { processor, cores, memoryGb, linux } = machine
  return [
    `${date.slice(0, 10)}, commit ${commit}, ${options.rows} movies, medians of ${options.rounds} rounds of ${options.seconds} s, client ${options.client}`,
    `${processor}, ${cores} cores, ${memoryGb} GB, Linux ${linux}, Bun ${versions.bun}, PostgreSQL ${versions.postgres}`,
  ].join('\n')
}

const columns = [
  ...['row', 'what', 'value', 'target', '', 'side'],
  ...['req/s', 'p50 ms', 'p99 ms', 'CPU ms/req', 'peak MB', 'failed'],
]

/** A Markdown table with a line for each side of a row. */
export function table(results: readonly Result[]): string {
  const lines = [columns, ...results.flatMap(resultLines)]
  const widths = columns.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)))
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
  padded.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  )
  return padded.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function resultLines({ row, what, value, unit, target, subject, reference, note }: Result): string[][] {
  const met = target === undefined ? '' : isMet(value, target) ? 'met' : 'MISSED'
  const first = [row, what, `${value.toPrecision(3)} ${unit}`, target ? inWords(target) : '', met]
  const rest = ['', '', '', '', '']
  const sides = [subject, reference].filter((side) => side !== undefined)
  if (sides.length === 0) return [[...first, note ?? '', '', '', '', '', '', '']]
  return sides.map(({ label, median }, place) => [...(place === 0 ? first : rest), label, ...cells(median)])
}

const inWords = (bound: Bound) => ('atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`)

const cells = ({ perSecond, p50Ms, p99Ms, cpuMsPerRequest, peakMemoryMb, failed }: Figures) => [
  perSecond.toFixed(perSecond < 100 ? 1 : 0),
  p50Ms.toFixed(2),
  p99Ms.toFixed(2),
  cpuMsPerRequest.toFixed(3),
  peakMemoryMb.toFixed(0),
  String(failed),
]

/** Saves every round; returns the file's path. */
export async function save(about: Circumstances, results: readonly Result[]): Promise<string> {
  await mkdir(RESULTS, { recursive: true })
  const name = `${about.date.replaceAll(/[:.]/g, '-')}-${about.options.rows}.json`
  const path = join(RESULTS, name)
  await writeFile(path, `${JSON.stringify({ ...about, results }, null, 2)}\n`)
  return path
}
