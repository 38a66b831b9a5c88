import type { Command } from 'commander'
import type { Config } from '../config/config'
import type { Database } from '../db/client'
import type { Log } from '../log'
import { didYouMean, shown } from '../rules/suggest'
import type { ServiceManager } from '../server/service-manager'
import type { Colours } from '../terminal/colours'
import type { StartProgress } from '../terminal/progress'

/** What a command may use of the world; main.ts hands it in. */
export type CommandContext = {
  readConfig: () => Config
  /** Variables that look like ours and are not. */
  unknownVariables: () => readonly string[]
  /** The files that NAME_FILE variables name. */
  settingFiles: () => readonly string[]
  createLog: (config: Pick<Config, 'logLevel'>) => Log
  /** What started the service and wants reports of its state: systemd, or nothing. */
  serviceManager: (log: Log) => ServiceManager
  /** The database of the configuration, closed again once the work is done. */
  withDatabase: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** The same, for work during which no server may run on it. */
  withDatabaseAlone: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** A line, or a row with tabs between its cells; control characters in them are escaped. */
  print: (...cells: readonly (string | number)[]) => void
  /** A text of our own, with its lines and colours; what comes from elsewhere goes into it through `visible`. */
  printText: (text: string) => void
  /** Colours of standard output: none unless it is a terminal. */
  colours: Colours
  /** A bar for what may take over a second: `const bar = progress('movies', 120)`, `bar.advance(10)`, `bar.end()`. */
  progress: StartProgress
  readInput: () => Promise<string>
  /** Resolves with the name of the signal that ends the process. */
  untilSignal: () => Promise<string>
}

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type About = {
  /** One line, which the parent's help lists too. */
  readonly summary: string
  readonly details?: string
  readonly examples: readonly string[]
}

/** Adds a command, with what its help says beside its arguments and options. */
export function addCommand(parent: Command, name: string, { summary, details, examples }: About): Command {
  const command = parent.command(name).helpCommand(false).summary(summary)
  command.description(details === undefined ? `${summary}.` : `${summary}.\n\n${details}`)
  return addExamples(command, examples)
}

export function addExamples(command: Command, examples: readonly string[]): Command {
  const title = command.createHelp().styleTitle('Examples:')
  return command.addHelpText('after', ['', title, ...examples.map((example) => `  ${example}`)].join('\n'))
}

/** A parser for an argument or option that takes one of these words. */
export const oneOf =
  <Word extends string>(words: readonly Word[]) =>
  (text: string): Word => {
    const found = words.find((word) => word === text)
    if (found === undefined)
      throw new UsageError(`${shown(text)} is not one of ${words.join(', ')}${didYouMean(text, words)}`)
    return found
  }

/** `1 movie`, `2,075 movies`. */
export const counted = (count: number, noun: string) =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
