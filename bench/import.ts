import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import { median } from './measure'
import { run, watched } from './processes'
import type { Result } from './report'
import { atMost } from './target'
import type { Workplace } from './workplace'

const COLUMNS = 'title, year, runtime, genres, director, "cast", release_date, synopsis'
const MEGABYTE = 1024 ** 2

type Timed = { readonly seconds: number; readonly cpuSeconds: number; readonly peakMb: number }

/** Imports the movies into an empty database, and copies them into another with COPY, in turn. */
export async function importing(workplace: Workplace): Promise<Result[]> {
  const { progress, rounds, rows, folder, sql, cluster, executable, env } = workplace
  progress('import: writing the file')
  const copyFile = join(folder, 'cluster', 'import.copy')
  const file = join(folder, 'import.ndjson')
  await sql.unsafe(`copy (select ${COLUMNS} from movies order by id) to '${copyFile}'`)
  await run([executable, 'export', '--output', file], folder, env('redlight'))

  const copied: number[] = []
  const imported: Timed[] = []
  const embedded: Timed[] = []
  const admin = cluster.connect('postgres')
  for (let round = 1; round <= rounds; round++) {
    progress(`import: round ${round} of ${rounds}`)
    await withDatabase(workplace, admin, async (name, target) => {
      const startedAt = performance.now()
      await target.unsafe(`copy movies (${COLUMNS}) from '${copyFile}'`)
      copied.push((performance.now() - startedAt) / 1000)
      return name
    })
    await withDatabase(workplace, admin, async (name) => {
      imported.push(await timed([executable, 'import', file], folder, env(name)))
    })
    const dataDir = join(folder, 'import-data')
    const { DATABASE_URL: _, ...others } = env('postgres')
    embedded.push(await timed([executable, 'import', file], folder, { ...others, DATA_DIR: dataDir }))
    await rm(dataDir, { recursive: true })
  }
  await admin.end()
  const copySeconds = median(copied)
  const result = (what: string, times: readonly Timed[], bound?: number): Result => {
    const seconds = median(times.map((time) => time.seconds))
    const perSecond = Math.round(rows / seconds)
    const cpuSeconds = median(times.map((time) => time.cpuSeconds)).toFixed(1)
    const peakMb = Math.max(...times.map((time) => time.peakMb)).toFixed(0)
    return {
      ...{ row: 'import', what, value: seconds / copySeconds, unit: '× COPY' },
      ...(bound !== undefined && { target: atMost(bound) }),
      note: `${perSecond} rows/s, COPY ${Math.round(rows / copySeconds)} rows/s, ${cpuSeconds} s CPU, peak ${peakMb} MB`,
    }
  }
  return [
    result('import into PostgreSQL ÷ COPY', imported, 2.5),
    result('import into the embedded database ÷ COPY', embedded),
  ]
}

/** An empty database with the schema. */
async function withDatabase(
  { executable, folder, cluster, env }: Workplace,
  admin: postgres.Sql,
  work: (name: string, sql: postgres.Sql) => Promise<unknown>,
) {
  const name = 'imported'
  await admin.unsafe(`create database ${name}`)
  await run([executable, 'migrate'], folder, env(name))
  const sql = cluster.connect(name)
  await sql`checkpoint`
  await work(name, sql)
  await sql.end()
  await admin.unsafe(`drop database ${name} with (force)`)
}

async function timed(
  command: string[],
  cwd: string,
  env: Record<string, string | undefined>,
): Promise<Timed> {
  const startedAt = performance.now()
  const child = watched(Bun.spawn(command, { cwd, env, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' }))
  const [complaint, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed: ${complaint}`)
  const usage = child.resourceUsage()
  return {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: Number(usage?.cpuTime.total ?? 0) / 1e6,
    peakMb: (usage?.maxRSS ?? 0) / MEGABYTE,
  }
}
