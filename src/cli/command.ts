import type { Config } from '../config'
import type { Database } from '../db/client'
import type { Log } from '../log'
import type { Colours } from './colours'
import type { StartProgress } from './progress'
import type { ServiceManager } from './service-manager'

/** What a command may use of the world; main.ts hands it in. */
export type CommandContext = {
  readConfig: () => Config
  /** Variables that look like ours and are not. */
  unknownVariables: () => readonly string[]
  createLog: (config: Config) => Log
  /** Whoever started the service and wants to know how it does: systemd, or nobody. */
  serviceManager: (log: Log) => ServiceManager
  /** The database of the configuration, closed again once the work is done. */
  withDatabase: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  print: (line: string) => void
  /** Of what is printed: none unless it is read on a terminal. */
  colours: Colours
  /** A bar for what may take over a second: `const bar = progress('films', 120)`, `bar.advance(10)`, `bar.end()`. */
  progress: StartProgress
  readInput: () => Promise<string>
  /** Resolves with the name of the signal that ends the process. */
  untilSignal: () => Promise<string>
}

export type Command = {
  readonly name: string
  readonly summary: string
  /** What `--help` prints below the summary. */
  readonly usage: string
  run(args: string[], context: CommandContext): Promise<void>
}

/** Wrong usage: exit 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command could not do what it was asked to: exit 1, and one line that says why. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/** The words of a command line that takes so many. */
export function words(args: readonly string[], names: readonly string[]): string[] {
  const missing = names[args.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const extra = args[names.length]
  if (extra !== undefined) throw new UsageError(`"${extra}" is one word too many`)
  return [...args]
}
