import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { abuse, abuseKinds } from './abuse'
import { importing } from './import'
import { killAll } from './processes'
import { type Circumstances, circumstances, heading, type Result, save, table } from './report'
import { rows } from './scenarios'
import { flood, soak } from './strain'
import { boundFor, isMet } from './target'
import { type Options, openWorkplace, type Workplace } from './workplace'

const names = [...new Set(rows.map(({ name }) => name))]
const USAGE = `
Usage: bun run bench [-- OPTIONS]

Compares Redlight with the floor (bench/floor.ts) on a private PostgreSQL. See bench/README.md.

  --rows N           movies to load                               (100000)
  --only A,B         rows to measure: ${names.join(', ')}
  --rounds N         rounds of each row                          (3)
  --seconds N        length of a round                           (10)
  --soak [MINUTES]   instead: minutes of mixed load             (15)
  --import           instead: import the movies, compared with COPY
  --flood            instead: reads during a flood of sign-ins
  --abuse [A,B]      instead: reads next to a client that uses all it is allowed
                     ${abuseKinds.join(', ')}    (all)
  --faults           instead: the faults of the tests at full length
  --executable FILE  measure this one instead of building one
  --before FILE      compare it with this earlier one, in the rows "before"
  --client NAME      wrk or bun                                  (wrk if installed)`

const DEFAULT_SOAK_MINUTES = '15'
const FAULT_TESTS = ['tests/faults/database.test.ts', 'tests/faults/process.test.ts']
const FULL_FAULT_SECONDS = '30'
const KILL_EVERY_MS = 20
const GRACE_MS = 1500

type Order = Options & {
  only: readonly string[] | undefined
  soakMinutes: number | undefined
  import: boolean
  flood: boolean
  abuse: readonly string[] | undefined
  faults: boolean
}

/** Wrong usage; the message is enough. */
class UsageError extends Error {}

function readOrder(args: string[]): Order {
  const values = parse(args)
  if (values.help) throw new UsageError(USAGE.trim())
  const only = values.only?.split(',')
  const unknown = only?.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new UsageError(`unknown row "${unknown}"\n${USAGE}`)
  return {
    rows: positive('rows', values.rows ?? '100000', 1000),
    rounds: positive('rounds', values.rounds ?? '3', 1),
    seconds: positive('seconds', values.seconds ?? '10', 1),
    soakMinutes: values.soak === undefined ? undefined : positive('soak', values.soak, 0.5),
    import: values.import,
    flood: values.flood,
    abuse: values.abuse === undefined ? undefined : knownAbuses(values.abuse),
    faults: values.faults,
    only,
    executable: values.executable && resolve(values.executable),
    before: values.before && resolve(values.before),
    client: chooseClient(values.client),
  }
}

function knownAbuses(list: string): readonly string[] {
  const kinds = list.split(',')
  const unknown = kinds.find((kind) => !abuseKinds.includes(kind))
  if (unknown !== undefined) throw new UsageError(`there is no abuse "${unknown}"\n${USAGE}`)
  return kinds
}

/** What these options mean without a value. */
const withoutValue = new Map([
  ['--soak', DEFAULT_SOAK_MINUTES],
  ['--abuse', abuseKinds.join()],
])

function parse(args: string[]) {
  const text = { type: 'string' } as const
  return parseArgs({
    args: args.map((arg, place) =>
      withoutValue.has(arg) && (args[place + 1] ?? '-').startsWith('-')
        ? `${arg}=${withoutValue.get(arg)}`
        : arg,
    ),
    options: {
      ...{
        rows: text,
        only: text,
        rounds: text,
        seconds: text,
        soak: text,
        abuse: text,
        executable: text,
        before: text,
        client: text,
      },
      import: { type: 'boolean', default: false },
      flood: { type: 'boolean', default: false },
      faults: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function positive(name: string, text: string, least: number): number {
  const number = Number(text)
  if (number >= least) return number
  throw new UsageError(`--${name} must be a number, ${least} or more\n${USAGE}`)
}

function chooseClient(wish: string | undefined): Options['client'] {
  if (wish === 'wrk' || wish === 'bun') return wish
  if (wish !== undefined) throw new UsageError(`--client must be wrk or bun\n${USAGE}`)
  if (Bun.which('wrk') !== null) return 'wrk'
  printProgress('wrk is missing (apt-get install wrk): using a client in Bun, which takes more CPU')
  return 'bun'
}

/** On a terminal, one line that changes; elsewhere, a line from time to time. */
let printedAt = Number.NEGATIVE_INFINITY
function printProgress(what: string) {
  const { isTTY, columns = 80 } = process.stderr
  if (isTTY) process.stderr.write(`\r\x1b[K${what.slice(0, columns - 1)}`)
  else if (performance.now() - printedAt > 1000) {
    printedAt = performance.now()
    process.stderr.write(`${what}\n`)
  }
}

async function measureRows(workplace: Workplace, { only, before }: Order, results: Result[]) {
  const known = rows.filter(({ name }) => name !== 'before' || before !== undefined)
  const wanted = known.filter(({ name }) => only?.includes(name) ?? true)
  for (const { name, what, targets, run } of wanted) {
    const progress = (step: string) => printProgress(`${name}: ${what}: ${step}`)
    const measured = await run({ ...workplace, progress })
    results.push({ row: name, what, ...measured, target: boundFor(targets, workplace.rows) })
  }
}

/** The suite ends each fault as soon as it has an effect; here they last, and responses must arrive in time. */
async function faults(): Promise<number> {
  const tests = Bun.spawn([process.execPath, 'test', '--timeout', '300000', ...FAULT_TESTS], {
    env: { ...process.env, FAULTS: '1', FAULT_SECONDS: FULL_FAULT_SECONDS },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return await tests.exited
}

/** What was measured so far: it is printed even if the bench fails later, or is interrupted. */
const soFar: { about?: Circumstances; readonly results: Result[] } = { results: [] }

async function report() {
  const { about, results } = soFar
  if (about === undefined || results.length === 0) return
  const path = await save(about, results)
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  process.stdout.write(`${heading(about)}\n\n${table(results)}\n\nAll figures: ${path}\n`)
}

async function bench(order: Order, opened: AsyncDisposableStack): Promise<readonly Result[]> {
  const workplace = await openWorkplace(order, printProgress, opened)
  const { results } = soFar
  soFar.about = await circumstances(workplace)
  const isStrained =
    order.import || order.flood || order.abuse !== undefined || order.soakMinutes !== undefined
  if (!isStrained || order.only !== undefined) await measureRows(workplace, order, results)
  if (order.import) results.push(...(await importing(workplace)))
  if (order.flood) results.push(...(await flood(workplace)))
  if (order.abuse !== undefined) results.push(...(await abuse(workplace, order.abuse)))
  if (order.soakMinutes !== undefined) results.push(...(await soak(workplace, order.soakMinutes)))
  return results
}

const describe = (error: unknown) =>
  error instanceof UsageError || (error instanceof TypeError && 'code' in error)
    ? error.message
    : Bun.inspect(error)

const opened = new AsyncDisposableStack()
opened.defer(killAll)
const interruption = Promise.withResolvers<'interrupted'>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => interruption.resolve('interrupted'))

async function main(): Promise<number> {
  const work = Promise.try(async () => {
    const order = readOrder(process.argv.slice(2))
    return order.faults ? faults() : bench(order, opened)
  })
  try {
    const results = await Promise.race([work, interruption.promise])
    if (results === 'interrupted') return await giveUp(work)
    if (typeof results === 'number') return results
    return results.every(({ value, target }) => target === undefined || isMet(value, target)) ? 0 : 1
  } catch (error) {
    process.stderr.write(`\n${describe(error)}\n`)
    return 2
  } finally {
    await report().finally(() => opened.disposeAsync())
  }
}

/** Kills all processes, and those started meanwhile, until none is left. */
async function giveUp(work: Promise<unknown>): Promise<number> {
  printProgress('cleaning up')
  // Queries in flight fail when their database stops, which is expected here.
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) process.on(event, () => {})
  const timer = setInterval(killAll, KILL_EVERY_MS)
  await Promise.race([work.catch(() => {}), Bun.sleep(GRACE_MS)])
  clearInterval(timer)
  return 130
}

process.exit(await main())
