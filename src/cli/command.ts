import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import type { Command } from 'commander'
import type { Author } from '../audit/model'
import { type Config, ConfigError } from '../config/config'
import type { Database } from '../db/client'
import { databaseProblem } from '../db/errors'
import { Failure, OperatorError, UsageError } from '../errors'
import type { Log } from '../log'
import { didYouMean, quoted } from '../rules/suggest'
import type { ServiceManager } from '../server/service-manager'
import type { Ask } from '../terminal/ask'
import type { Colours } from '../terminal/colours'
import type { StartProgress } from '../terminal/progress'
import type { StartTable } from '../terminal/table'

/** Everything a command may use from outside; main.ts passes it in. */
export type CommandContext = {
  readConfig: () => Config
  /** Variables that look like ours but aren't. */
  unknownVariables: () => readonly string[]
  /** Paths given in NAME_FILE variables. */
  settingFiles: () => readonly string[]
  createLog: (config: Pick<Config, 'logLevel'>) => Log
  /** The service manager that started us, such as systemd, if any. */
  serviceManager: (log: Log) => ServiceManager
  /** Runs work on the configured database, and closes it afterwards. */
  withDatabase: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** The same, for work that leaves nothing behind: if no database has been created yet, on a temporary one. */
  withDatabaseToTry: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** The same, for work during which no server may use the database. */
  withDatabaseAlone: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** Prints a line; control characters are escaped. */
  print: (line: string) => void
  /** Prints our own text with its lines and colours; text from elsewhere must pass through `visible`. */
  printText: (text: string) => void
  table: StartTable
  /** Colours of standard output; none unless it is a terminal. */
  colours: Colours
  /**
   * A bar for work that may take over a second: `const bar = progress('movies', 120)`, `bar.advance(10)`,
   * `bar.end()`.
   */
  progress: StartProgress
  readInput: () => Promise<string>
  /** Questions to a person; undefined without a terminal. */
  ask: Ask | undefined
  /** Standard input and output as streams, for what may be larger than memory. */
  input: AsyncIterable<Uint8Array>
  output: Writable
  /** Prints a line to standard error, such as `redlight import: …`; control characters are escaped. */
  printError: (line: string) => void
  /** Resolves with the name of the signal that stops the process. */
  untilSignal: () => Promise<string>
}

/** Ends the command with this exit code; all that is to be said has been printed. */
export class Exit extends Error {
  override readonly name = 'Exit'
  constructor(readonly code: number) {
    super(`exit ${code}`)
  }
}

/** The exit code of a process that a signal ends, such as 130. */
export const exitOf = (signal: string) =>
  new Exit(128 + (Object.entries(constants.signals).find(([name]) => name === signal)?.[1] ?? 0))

type About = {
  /** One line, also shown in the parent's help. */
  readonly summary: string
  readonly details?: string
  readonly examples: readonly string[]
}

/** Adds a command, with the texts of its help besides arguments and options. */
export function addCommand(parent: Command, name: string, { summary, details, examples }: About): Command {
  const command = parent.command(name).helpCommand(false).summary(summary)
  // The help breaks lines itself, by the width of the terminal.
  const paragraphs = details?.replace(/(?<!\n)\n(?![\n ])/g, ' ')
  command.description(paragraphs === undefined ? `${summary}.` : `${summary}.\n\n${paragraphs}`)
  return addExamples(command, examples)
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  const title = command.createHelp().styleTitle('Examples:')
  return command.addHelpText('after', ['', title, ...examples.map((example) => `  ${example}`)].join('\n'))
}

/** Parser for an argument or option that must be one of these words. */
export const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (text: string): Word => {
    const found = words.find((word) => word === text)
    if (found === undefined)
      throw new UsageError(`${quoted(text)} is not one of ${words.join(', ')}${didYouMean(text, words)}`)
    return found
  }

/** `1 movie`, `2,075 movies`. */
export const counted = (count: number, noun: string) =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`

/** The messages about a failure, one per line. */
export function reasonsOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)]
  if (error instanceof ConfigError) return error.problems
  if (error instanceof OperatorError) return [error.message]
  if (error instanceof Failure && typeof error.detail.error === 'object') return [inWords(error.detail.error)]
  return [databaseProblem(error) ?? `failed: ${error.message.split('\n')[0]}`]
}

/** The system user who runs the command, for the trail. */
export function operator(): Author {
  const uid = String(process.getuid?.())
  try {
    // `userInfo` of node:os uses the variable USER, which cron and systemd may not set.
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
    const [name = uid] = lines.map((line) => line.split(':')).find((fields) => fields[2] === uid) ?? []
    return { actor: null, by: name }
  } catch {
    return { actor: null, by: uid }
  }
}

/** The messages of broken rules on one line. */
export const inWords = (problems: Readonly<Record<string, string>>) =>
  Object.entries(problems)
    .map(([field, problem]) => `${field} ${problem}`)
    .join('; ')
