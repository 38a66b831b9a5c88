import { variables } from '../config/config'
import { databaseProblem } from '../db/errors'
import { OperatorError } from '../errors'
import { didYouMean, shown } from '../rules/suggest'
import { backupCommand } from './backup'
import { type Command, type CommandContext, UsageError } from './command'
import { completionFor } from './completion'
import { doctor } from './doctor'
import { healthcheck } from './healthcheck'
import { commandHelp, overview } from './help'
import { migrateCommand } from './migrate'
import { moviesCommand } from './movies'
import { restoreCommand } from './restore'
import { seed } from './seed'
import { serve } from './serve'
import { optionsOf } from './synopsis'
import { usersCommand } from './users'
import { versionCommand } from './version-command'

export const commands: readonly Command[] = [
  serve,
  migrateCommand,
  seed,
  usersCommand,
  moviesCommand,
  backupCommand,
  restoreCommand,
  doctor,
  healthcheck,
  completionFor(() => commands),
  versionCommand,
]

const HELP = new Set(['help', '--help', '-h'])
const VERSION = new Set(['--version', '-v', '-V'])

/** Runs a command line and tells its exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCommandLine(
  argv: readonly string[],
  context: CommandContext,
  printError: (line: string) => void,
): Promise<number> {
  const [given, ...args] = argv
  const name = VERSION.has(given ?? '') ? versionCommand.name : given
  if (name === undefined || HELP.has(name)) return help(args[0], context, printError)
  const command = commands.find((known) => known.name === name)
  if (command === undefined) return unknown(name, printError)
  if (args.includes('--help') || args.includes('-h')) return help(name, context, printError)
  try {
    refuseUnknownOptions(command, args)
    await command.run(args, context)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      const end = error.message.endsWith('?') ? ' See' : '; see'
      printError(`redlight ${name}: ${error.message}${end} "redlight ${name} --help"`)
      return 2
    }
    for (const line of reasons(error)) printError(`redlight ${name}: ${line}`)
    return 1
  }
}

function help(name: string | undefined, context: CommandContext, printError: (line: string) => void): number {
  const command = commands.find((known) => known.name === name)
  if (name !== undefined && command === undefined && !HELP.has(name)) return unknown(name, printError)
  context.printText(
    command === undefined ? overview(commands, context.colours) : commandHelp(command, context.colours),
  )
  return 0
}

function unknown(name: string, printError: (line: string) => void): number {
  const meant = didYouMean(name, [...commands.map((known) => known.name), 'help'])
  printError(
    `redlight: there is no command ${shown(name)}${meant ? `${meant} See` : '; see'} "redlight help"`,
  )
  return 2
}

/** Where an option is asked for that the command doesn't have, says which it has, or which variable is meant. */
function refuseUnknownOptions(command: Command, args: readonly string[]) {
  const known = optionsOf(command)
  const end = args.indexOf('--')
  for (const arg of end === -1 ? args : args.slice(0, end)) {
    const [option = ''] = arg.split('=')
    if (!/^--?[A-Za-z]/.test(option) || known.includes(option)) continue
    const variable = option.replace(/^-+/, '').toUpperCase().replaceAll('-', '_')
    const isVariable = variables.some(({ name }) => name === variable)
    const meant = isVariable
      ? `: set the environment variable ${variable} instead`
      : didYouMean(option, [...known, '--help'])
    throw new UsageError(`there is no option ${shown(option)}${meant}`)
  }
}

function reasons(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)]
  if ('problems' in error && Array.isArray(error.problems)) return error.problems.map(String)
  if (error instanceof OperatorError) return [error.message]
  const problem = databaseProblem(error)
  return [problem ?? `failed: ${error.message.split('\n')[0]}`]
}
