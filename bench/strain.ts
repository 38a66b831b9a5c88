import { ask, type Call } from './drive'
import { measure, median } from './measure'
import type { Result } from './report'
import { firstPage, mixed, oneMovie, signInWith } from './requests'
import { memoryMb, type Server } from './servers'
import type { Workplace } from './workplace'

// Measurements that take time, or an attacker.

const CONNECTIONS = 32
const SAMPLE_EVERY_MS = 2000
const SETTLED_AFTER = 3 / 15
const WINDOW = 1 / 15
const READS_PER_SECOND = 50

type MemorySample = { at: number; mb: number }

/** Mixed load for some minutes: memory must settle, the event loop stay free, and nothing fail. */
export async function soak(workplace: Workplace, minutes: number): Promise<Result[]> {
  const server = await workplace.freshRedlight()
  const samples: MemorySample[] = []
  const startedAt = performance.now()
  const totalMs = minutes * 60_000
  const timer = setInterval(() => {
    const at = (performance.now() - startedAt) / totalMs
    samples.push({ at, mb: memoryMb(server.pid, 'VmRSS') })
    workplace.progress(`soak: ${Math.round(at * minutes * 10) / 10} of ${minutes} minutes`)
  }, SAMPLE_EVERY_MS)
  const party = { label: 'redlight', server, calls: mixed }
  const figures = await measure(workplace, party, CONNECTIONS, minutes * 60).finally(() =>
    clearInterval(timer),
  )
  const lagMs = await eventLoopLagMs(server)
  await server.stop()

  // Each value is the median over a fifteenth of the time, because one garbage collection isn't a trend.
  const around = (moment: number) =>
    median(samples.filter(({ at }) => Math.abs(at - moment) <= WINDOW / 2).map(({ mb }) => mb))
  const [settledMb, endMb] = [around(SETTLED_AFTER), around(1 - WINDOW / 2)]
  const memory = `${settledMb.toFixed(0)} MB after ${(minutes * SETTLED_AFTER).toFixed(1)} minutes, ${endMb.toFixed(0)} MB at the end`
  const rate = `${figures.answered} answers, ${figures.perSecond.toFixed(0)} a second`
  return [
    result('growth of memory', (endMb / settledMb - 1) * 100, '%', 10, memory),
    result('p99 of event-loop lag', lagMs, 'ms', 20, `p99 of all answers ${figures.p99Ms} ms`),
    result('answers that are failures', figures.failed, 'failed', 0, rate),
  ]

  function result(what: string, value: number, unit: Result['unit'], atMost: number, note: string): Result {
    return {
      row: 'soak',
      what: `${minutes} minutes of mixed load: ${what}`,
      value,
      unit,
      target: { atMost },
      note,
    }
  }
}

async function eventLoopLagMs(server: Server): Promise<number> {
  const variables = await ask(server, { method: 'GET', path: '/debug/vars' })
  const isKnown = typeof variables === 'object' && variables !== null && 'event_loop_lag_ms' in variables
  return isKnown ? Number(variables.event_loop_lag_ms) : Number.NaN
}

/** Steady reads while 32 clients sign in with wrong passwords. */
export async function flood(workplace: Workplace): Promise<Result[]> {
  const { redlight, rounds, seconds, drive, sample, progress } = workplace
  const calls = [...oneMovie(sample).slice(0, 500), ...firstPage(sample)]
  await steadyReads(redlight, calls, 1)
  const [idleMs, floodedMs, attempts]: number[][] = [[], [], []]
  for (let round = 1; round <= rounds; round++) {
    progress(`flood: round ${round} of ${rounds}`)
    idleMs?.push(await steadyReads(redlight, calls, seconds))
    const wrong = signInWith('not the password of anybody')(sample)
    const [flooded, attempted] = await Promise.all([
      steadyReads(redlight, calls, seconds),
      drive(redlight, { calls: wrong, connections: CONNECTIONS, seconds }),
    ])
    floodedMs?.push(flooded)
    attempts?.push(attempted.failed / attempted.seconds)
  }
  const [idle, flooded] = [median(idleMs ?? []), median(floodedMs ?? [])]
  return [
    {
      row: 'flood',
      what: 'p99 of reads under 32 clients with wrong passwords ÷ idle',
      value: flooded / idle,
      unit: '×',
      target: { atMost: 4 },
      note: `${idle.toFixed(1)} ms idle, ${flooded.toFixed(1)} ms flooded, ${median(attempts ?? []).toFixed(0)} attempts a second`,
    },
  ]
}

/** The p99 of steady reads, each timed from the moment at which it was due. */
async function steadyReads(server: Server, calls: readonly Call[], seconds: number): Promise<number> {
  const everyMs = 1000 / READS_PER_SECOND
  const startedAt = performance.now()
  const reads = Array.from(
    { length: Math.max(1, Math.round(seconds * READS_PER_SECOND)) },
    async (_, place) => {
      const dueAt = startedAt + place * everyMs
      await Bun.sleep(dueAt - performance.now())
      const call = calls[place % calls.length]
      if (call !== undefined) await ask(server, call)
      return performance.now() - dueAt
    },
  )
  const sorted = (await Promise.all(reads)).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * 0.99)] ?? Number.NaN
}
