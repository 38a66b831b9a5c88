import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Config } from '../config/config'
import type { Database } from '../db/client'
import type { Log } from '../log'
import { didYouMean, shown } from '../rules/suggest'
import type { ServiceManager } from '../server/service-manager'
import type { Colours } from './colours'
import type { StartProgress } from './progress'

/** What a command may use of the world; main.ts hands it in. */
export type CommandContext = {
  readConfig: () => Config
  /** Variables that look like ours and are not. */
  unknownVariables: () => readonly string[]
  /** The files that NAME_FILE variables name. */
  settingFiles: () => readonly string[]
  createLog: (config: Pick<Config, 'logLevel'>) => Log
  /** Whoever started the service and wants to know how it does: systemd, or nobody. */
  serviceManager: (log: Log) => ServiceManager
  /** The database of the configuration, closed again once the work is done. */
  withDatabase: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** The same, for work beside which no server may run on it. */
  withDatabaseAlone: <T>(work: (database: Database, config: Config) => Promise<T>) => Promise<T>
  /** A line, or a row with tabs between its cells; what could be taken for more than text of them is written out. */
  print: (...cells: readonly (string | number)[]) => void
  /** A text of our own, with its lines and colours; what comes from elsewhere goes into it through `visible`. */
  printText: (text: string) => void
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

/** The work of a command's second word. */
export type Subcommand = (args: string[], context: CommandContext) => Promise<void>

export function subcommandOf(table: Readonly<Record<string, Subcommand>>, name = ''): Subcommand {
  const found = Object.hasOwn(table, name) ? table[name] : undefined
  if (found !== undefined) return found
  const names = Object.keys(table)
  const choice = `say ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  throw new UsageError(name === '' ? choice : `${choice}, not ${shown(name)}${didYouMean(name, names)}`)
}

/** The options of a command line that takes nothing else. */
export function options<Name extends string>(
  args: string[],
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const known: NonNullable<ParseArgsConfig['options']> = {}
  for (const name of names) known[name] = { type: 'string' }
  const values: Partial<Record<Name, string>> = {}
  try {
    const parsed = parseArgs({ args, options: known }).values
    for (const name of names) if (typeof parsed[name] === 'string') values[name] = parsed[name]
    return values
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const lacking = names.find((name) => error instanceof Error && error.message.includes(`--${name}`))
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' && lacking !== undefined)
      throw new UsageError(
        `--${lacking} takes a value (one that begins with - is written --${lacking}=VALUE)`,
      )
    const extra = args.find((arg, index) => !arg.startsWith('-') && !/^--[^=]*$/.test(args[index - 1] ?? ''))
    throw new UsageError(
      `${shown(extra ?? args[0] ?? '')} is one word too many: it takes ${names.map((name) => `--${name}`).join(', ')}`,
    )
  }
}

/** The words of a command line that takes so many. */
export function words(args: readonly string[], names: readonly string[]): string[] {
  const missing = names[args.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const extra = args[names.length]
  if (extra !== undefined) throw new UsageError(`${shown(extra)} is one word too many`)
  return [...args]
}

type Mixed<Flag extends string, Name extends string> = {
  readonly flags: ReadonlySet<Flag>
  readonly values: Partial<Record<Name, string>>
  readonly rest: readonly string[]
}

/** Words with options among them: flags, and options with values. */
export function mixed<Flag extends string, Name extends string = never>(
  args: readonly string[],
  flagNames: readonly Flag[],
  valueNames: readonly Name[] = [],
): Mixed<Flag, Name> {
  const flags = new Set<Flag>()
  const values: Partial<Record<Name, string>> = {}
  const rest: string[] = []
  for (let index = 0; index < args.length; index++) {
    const [option = '', ...more] = (args[index] ?? '').split('=')
    const flag = flagNames.find((name) => option === `--${name}`)
    const name = valueNames.find((known) => option === `--${known}`)
    if (flag !== undefined && more.length === 0) flags.add(flag)
    else if (name !== undefined) {
      const value = more.length > 0 ? more.join('=') : args[++index]
      if (value === undefined || value === '') throw new UsageError(`--${name} takes a value`)
      values[name] = value
    } else rest.push(args[index] ?? '')
  }
  return { flags, values, rest }
}
