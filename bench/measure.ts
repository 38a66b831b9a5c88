import { ask, type Call, type Outcome } from './drive'
import { type Calls, changedMovie } from './requests'
import { cpuSeconds, memoryMb, resetPeakMemory, type Server } from './servers'
import type { Workplace } from './workplace'

/** One drive: the client's counts, and the cost for the server process. */
export type Figures = Outcome & { perSecond: number; cpuMsPerRequest: number; peakMemoryMb: number }
export type Side = { label: string; median: Figures; rounds: readonly Figures[] }
/** A row's result; "×" is the ratio of the subject to its reference. */
export type Measured = {
  value: number
  unit: '×' | '× COPY' | 's' | 'ms' | '%' | 'failed'
  subject?: Side
  reference?: Side
  note?: string
}

/** A server, and the calls it gets. */
export type Party = { label: string; server: Server; calls: Calls; writesPerSecond?: number }
/** What is compared: the rate, or a client's waiting time. */
export type Measure = 'rate' | 'time'

const WARM_UP_SECONDS = 1
const ANSWERS_COMPARED = 5
const LONGER = 4
const MAX_SECONDS = 60

/** Drives two parties alternately, in changing order, and compares their medians. */
export async function compare(
  workplace: Workplace,
  subject: Party,
  reference: Party,
  { connections, measure: what }: { connections: number; measure: Measure },
): Promise<Measured> {
  for (const party of [subject, reference]) await measure(workplace, party, connections, WARM_UP_SECONDS)
  const sides = await inTurn(
    workplace,
    () => measure(workplace, subject, connections),
    () => measure(workplace, reference, connections),
  )
  return compareSides(side(subject.label, sides.subject), side(reference.label, sides.reference), what)
}

export function compareSides(subject: Side, reference: Side, measure: Measure): Measured {
  const figure = ({ median }: Side) => (measure === 'rate' ? median.perSecond : median.p50Ms)
  return { value: figure(subject) / figure(reference), unit: '×', subject, reference }
}

export async function inTurn<T>(
  { rounds, progress }: Pick<Workplace, 'rounds' | 'progress'>,
  subject: () => Promise<T>,
  reference: () => Promise<T>,
): Promise<{ subject: T[]; reference: T[] }> {
  const results: { subject: T[]; reference: T[] } = { subject: [], reference: [] }
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`)
    const isOdd = round % 2 === 1
    if (isOdd) results.reference.push(await reference())
    results.subject.push(await subject())
    if (!isOdd) results.reference.push(await reference())
  }
  return results
}

/** One round, or a longer one if a side is too slow to answer anything. */
export async function measure(
  workplace: Workplace,
  party: Party,
  connections: number,
  seconds = workplace.seconds,
): Promise<Figures> {
  const figures = await driveOnce(workplace, party, connections, seconds)
  const isTooShort = figures.answered === 0 && seconds < MAX_SECONDS
  return isTooShort ? measure(workplace, party, connections, LONGER * seconds) : figures
}

async function driveOnce(
  { drive, sample, sql }: Workplace,
  { server, calls, writesPerSecond }: Party,
  connections: number,
  seconds: number,
): Promise<Figures> {
  // Flushes earlier writes, so that this drive doesn't pay for them.
  await sql`checkpoint`
  await resetPeakMemory(server.pid)
  using _ =
    writesPerSecond === undefined ? undefined : startWriting(server, changedMovie(sample), writesPerSecond)
  const cpuBefore = cpuSeconds(server.pid)
  const outcome = await drive(server, { calls: calls(sample), connections, seconds })
  const cpuMs = (cpuSeconds(server.pid) - cpuBefore) * 1000
  return {
    ...outcome,
    perSecond: outcome.answered / outcome.seconds,
    cpuMsPerRequest: cpuMs / (outcome.answered + outcome.failed),
    peakMemoryMb: memoryMb(server.pid, 'VmHWM'),
  }
}

/** Sends these calls at a rate until it is disposed of. */
function startWriting(server: Server, calls: readonly Call[], perSecond: number): Disposable {
  let place = 0
  const timer = setInterval(() => {
    const call = calls[place++ % calls.length]
    // A slow server may refuse one; the rows count their own failures.
    if (call !== undefined) ask(server, call).catch(() => {})
  }, 1000 / perSecond)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

export function side(label: string, rounds: readonly Figures[]): Side {
  const of = (read: (figures: Figures) => number) => median(rounds.map(read))
  return {
    label,
    rounds,
    median: {
      answered: of((figures) => figures.answered),
      failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
      seconds: of((figures) => figures.seconds),
      perSecond: of((figures) => figures.perSecond),
      p50Ms: of((figures) => figures.p50Ms),
      p99Ms: of((figures) => figures.p99Ms),
      cpuMsPerRequest: of((figures) => figures.cpuMsPerRequest),
      peakMemoryMb: of((figures) => figures.peakMemoryMb),
    },
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [below, above] = [sorted[middle - 1], sorted[middle]]
  if (above === undefined) return Number.NaN
  return sorted.length % 2 === 1 || below === undefined ? above : (below + above) / 2
}

/** Throws unless both respond alike; otherwise the floor would do less work. */
export async function sameAnswers(one: Server, other: Server, calls: readonly Call[]) {
  for (const call of calls.slice(0, ANSWERS_COMPARED)) {
    const [mine, theirs] = [await ask(one, call), await ask(other, call)]
    if (!Bun.deepEquals(mine, theirs))
      throw new Error(
        `${one.label} and ${other.label} answer differently to ${call.path}:\n${JSON.stringify(mine)}\n${JSON.stringify(theirs)}`,
      )
  }
}
