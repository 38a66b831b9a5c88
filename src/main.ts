import { readFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import { reasonsOf } from './cli/command'
import { runCommandLine } from './cli/index'
import { type Config, readConfig, settingFiles, unknownVariable, unknownVariables } from './config/config'
import type { DatabaseConfig } from './config/database'
import type { Database } from './db/client'
import { aboutFile } from './file-problem'
import { createLineWriter, createLog, describeError, jsonLine, type Log, readableLine } from './log'
import { openDatabaseAlone, openDatabaseBesideServer } from './opening/open'
import { withDatabaseIfThere } from './opening/temporary'
import { useAndClose } from './opening/use'
import { createServiceManager } from './server/service-manager'
import { createAsk } from './terminal/ask'
import { createColours, isTerminal, wantsColours } from './terminal/colours'
import { createProgress } from './terminal/progress'
import { createTables } from './terminal/table'
import { visible } from './visible'

const config = () => readConfig(process.env, (path) => readFileSync(path, 'utf8'))
/** What became of the output; a reader may leave, as `head` does. */
let lost: unknown
const output = createLineWriter({
  write: (text) =>
    process.stdout.write(text, (error) => {
      if (error && !('code' in error && error.code === 'EPIPE')) lost ??= error
    }),
  get writableLength() {
    return process.stdout.writableLength
  },
})
const printText = (text: string) => output.write(() => `${text}\n`)
const colours = createColours(wantsColours(process.stdout, process.env))
const errorColours = createColours(wantsColours(process.stderr, process.env))
const printError = (line: string) =>
  process.stderr.write(`${visible(line).replace(/^redlight[^:]*:/, (who) => errorColours.red(who))}\n`)
const progress = createProgress(
  isTerminal(process.stderr, process.env)
    ? {
        write: (text) => process.stderr.write(text),
        columns: () => process.stderr.columns,
        colours: errorColours,
      }
    : undefined,
)

// A closed pipe or a full disk must not stop the service.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

// Without its terminal, an unseen process would keep running and hold its data folder.
const hasTerminal = [0, 1, 2].some(isatty)
const stopSignals: NodeJS.Signals[] = ['SIGTERM', 'SIGINT', ...(hasTerminal ? ['SIGHUP' as const] : [])]

const exitCode = await runCommandLine(process.argv.slice(2), {
  readConfig: config,
  unknownVariables: () => unknownVariables(process.env),
  settingFiles: () => settingFiles(process.env),
  createLog({ logLevel }) {
    const format = process.stdout.isTTY ? readableLine(colours) : jsonLine
    const log = createLog(logLevel, output.write, format)
    process.on('unhandledRejection', (reason) => log.error('unhandled rejection', describeError(reason)))
    if (!hasTerminal) process.on('SIGHUP', () => log.info('SIGHUP is ignored'))
    return log
  },
  serviceManager: (log) => createServiceManager(process.env, process.pid, log),
  withDatabase: (work) => withDatabase(opened(openDatabaseBesideServer), work),
  withDatabaseToTry: (work) => withDatabase(withDatabaseIfThere, work),
  withDatabaseAlone: (work) => withDatabase(opened(openDatabaseAlone), work),
  print: (line) => printText(visible(line)),
  table: createTables({
    print: printText,
    columns: () => (process.stdout.isTTY ? process.stdout.columns : undefined),
    colours,
  }),
  printText,
  colours,
  progress,
  readInput: () => Bun.stdin.text(),
  ask: isTerminal(process.stdin, process.env)
    ? createAsk({ input: process.stdin, output: process.stderr })
    : undefined,
  input: { [Symbol.asyncIterator]: () => process.stdin[Symbol.asyncIterator]() },
  output: process.stdout,
  printError,
  untilSignal: () =>
    new Promise((resolve) => {
      for (const signal of stopSignals) process.once(signal, resolve)
    }),
})
output.flush()
process.exit(exitCode || (await codeOfOutput()))

/** A full disk must not stop the service for its log, but a command whose report is lost has failed. */
async function codeOfOutput(): Promise<number> {
  await new Promise(setImmediate)
  if (lost === undefined || process.argv[2] === 'serve') return 0
  for (const line of reasonsOf(aboutFile('write', 'standard output', lost))) printError(`redlight: ${line}`)
  return 1
}

async function withDatabase<T>(
  use: typeof withDatabaseIfThere<T>,
  work: (database: Database, config: Config) => Promise<T>,
): Promise<T> {
  const settings = config()
  for (const name of unknownVariables(process.env)) printError(`redlight: ${unknownVariable(name)}`)
  const quiet = createLog('error', (line) => process.stderr.write(line()))
  const waiting = progress('opening the database')
  const start = (database: Database) => {
    waiting.end()
    return work(database, settings)
  }
  return await use(settings.database, quiet, start).finally(waiting.end)
}

function opened(open: typeof openDatabaseBesideServer) {
  return async <T>(
    config: DatabaseConfig,
    log: Log,
    work: (database: Database) => Promise<T>,
  ): Promise<T> => {
    return await useAndClose(await open(config, log), work)
  }
}
