import { join } from 'node:path'
import type postgres from 'postgres'
import type { Call } from './drive'
import { median } from './measure'
import { watched } from './processes'
import type { Result } from './report'
import { firstPage, newMovie, oneMovie, search } from './requests'
import { memoryMb, resetPeakMemory, type Server } from './servers'
import { FIRST_USER_ID } from './users'
import type { Workplace } from './workplace'

// Effects of one client that uses all the default limits allow on another that reads 20 times a second.

const READS_PER_SECOND = 20
const ABUSER = 0
const OTHER_CLIENT = 1
const PAUSE_MS = 2000
const HEAVIEST = 100

type Abuse = { readonly kind: string; readonly what: string; readonly writes?: true }
const abuses: readonly Abuse[] = [
  { kind: 'keys', what: 'bodies of 90,000 unknown keys, 20 a second' },
  { kind: 'nested', what: 'nested bodies of 1 MB, 40 at once' },
  { kind: 'lists', what: 'lists of the largest movies, 20 a second' },
  { kind: 'unread', what: '140 such lists, left unread' },
  { kind: 'broad', what: 'a broad filter sorted by title, 20 a second' },
  { kind: 'middle', what: 'pages in the middle by title, 20 a second' },
  { kind: 'movies', what: 'new movies of the largest size, 40 at once', writes: true },
  { kind: 'standby', what: 'favourites while a synchronous standby is frozen, 20 a second' },
]

export const abuseKinds: readonly string[] = abuses.map(({ kind }) => kind)

type Felt = { p50Ms: number; p99Ms: number; failed: number }

export async function abuse(workplace: Workplace, kinds: readonly string[]): Promise<Result[]> {
  const { sql, sample, rounds, seconds, progress } = workplace
  await insertHeaviest(sql)
  const server = await workplace.limitedRedlight()
  const reads = [oneMovie, firstPage, search].map((calls) => calls(sample).slice(0, 300))
  const calls = { reads: mixed(reads), writes: newMovie(sample) }
  await otherClient(server, calls.reads, 2)
  const idle = {
    reads: await otherClient(server, calls.reads, seconds),
    writes: await otherClient(server, calls.writes, seconds),
  }
  const results: Result[] = []
  for (const { kind, what, writes } of abuses.filter(({ kind }) => kinds.includes(kind))) {
    const which = writes ? 'writes' : 'reads'
    const felt: (Felt & { peakMb: number })[] = []
    for (let round = 1; round <= rounds; round++) {
      progress(`abuse: ${what}: round ${round} of ${rounds}`)
      felt.push(await under(workplace, server, kind, () => otherClient(server, calls[which], seconds)))
    }
    const middle = (key: keyof (typeof felt)[number]) => median(felt.map((each) => each[key]))
    const atMost = Math.max(250, 10 * idle[which].p99Ms)
    const failed = felt.reduce((sum, each) => sum + each.failed, 0)
    const quiet = `${idle[which].p50Ms.toFixed(1)} and ${idle[which].p99Ms.toFixed(1)} ms idle`
    const note = `median ${middle('p50Ms').toFixed(1)} ms (${quiet}), ${failed} failed, peak ${middle('peakMb').toFixed(0)} MB`
    results.push({ row: 'abuse', what, value: middle('p99Ms'), unit: 'ms', target: { atMost }, note })
  }
  await server.stop()
  return results
}

const mixed = (kinds: readonly Call[][]): Call[] =>
  Array.from({ length: 300 }, (_, i) => kinds[i % kinds.length]?.[i]).filter((call) => call !== undefined)

async function insertHeaviest(sql: postgres.Sql) {
  await sql`
    insert into movies (title, year, runtime, genres, director, "cast", synopsis, created_by)
    select 'Heaviest ' || i, 2001, 100, '{heaviest}', repeat(U&'\\+01F3AC', 500),
      array(select repeat(U&'\\+01F3AC', 190) || ' ' || n from generate_series(1, 100) as n),
      repeat(U&'\\+01F3AC', 10000), ${FIRST_USER_ID + ABUSER}
    from generate_series(1, ${HEAVIEST}::int) as i
    on conflict do nothing`
}

let abusers = 0
async function under<T>(
  { rows, sample, sql }: Workplace,
  server: Server,
  kind: string,
  work: () => Promise<T>,
): Promise<T & { peakMb: number }> {
  const genre = sample.movies[0]?.genre ?? ''
  const script = join(import.meta.dir, 'abuser.ts')
  // One that has paid nothing yet in each round, so that its burst is felt.
  const address = `198.51.100.${++abusers}`
  const args = [kind, String(server.port), server.tokens[ABUSER] ?? '', address, String(rows), genre]
  await resetPeakMemory(server.pid)
  if (kind === 'standby') await frozenStandby(sql, true)
  const child = watched(
    Bun.spawn([process.execPath, script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  try {
    const felt = await work()
    return { ...felt, peakMb: memoryMb(server.pid, 'VmHWM') }
  } finally {
    child.kill('SIGKILL')
    await child.exited
    if (kind === 'standby') await frozenStandby(sql, false)
    await Bun.sleep(PAUSE_MS)
  }
}

/** A standby that doesn't exist confirms nothing, like a frozen one. */
async function frozenStandby(sql: postgres.Sql, isFrozen: boolean) {
  await sql.unsafe(`alter system set synchronous_standby_names = '${isFrozen ? 'frozen' : ''}'`)
  await sql`select pg_reload_conf()`
}

let made = 0
/** The other client, at another address: each call is timed from the moment at which it was due. */
async function otherClient(server: Server, calls: readonly Call[], seconds: number): Promise<Felt> {
  const startedAt = performance.now()
  let failed = 0
  async function once(place: number): Promise<number> {
    const dueAt = startedAt + (place * 1000) / READS_PER_SECOND
    await Bun.sleep(dueAt - performance.now())
    const { method = 'GET', path = '/', body } = calls[place % calls.length] ?? {}
    const number = String(900_000_000 + ++made)
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${server.tokens[OTHER_CLIENT]}`,
        'Content-Type': 'application/json',
        'X-Forwarded-For': '203.0.113.1',
      },
      body: body === undefined ? undefined : JSON.stringify(body).replace('#########', number),
    })
    await response.arrayBuffer()
    if (!response.ok) failed++
    return performance.now() - dueAt
  }
  const count = Math.max(1, Math.round(seconds * READS_PER_SECOND))
  const sorted = (await Promise.all(Array.from({ length: count }, (_, place) => once(place)))).sort(
    (a, b) => a - b,
  )
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), failed }
}
