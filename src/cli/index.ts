import { databaseProblem } from '../db/database-errors'
import { type Command, type CommandContext, CommandFailed, UsageError } from './command'
import { healthcheck } from './healthcheck'
import { migrateCommand } from './migrate'
import { moviesCommand } from './movies'
import { seed } from './seed'
import { serve } from './serve'
import { usersCommand } from './users'
import { versionCommand } from './version-command'

const commands: readonly Command[] = [
  serve,
  migrateCommand,
  seed,
  usersCommand,
  moviesCommand,
  healthcheck,
  versionCommand,
]

/** Runs a command line and tells its exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCommandLine(
  argv: readonly string[],
  context: CommandContext,
  printError: (line: string) => void,
): Promise<number> {
  const [name, ...args] = argv
  if (name === undefined || name === 'help' || name === '--help' || name === '-h')
    return help(args[0], context, printError)
  const command = commands.find((known) => known.name === name)
  if (command === undefined) {
    printError(`redlight: there is no command "${name}"; "redlight help" lists them`)
    return 2
  }
  if (args.includes('--help') || args.includes('-h')) return help(name, context, printError)
  try {
    await command.run(args, context)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      printError(`redlight ${name}: ${error.message}; see "redlight ${name} --help"`)
      return 2
    }
    for (const line of reasons(error)) printError(`redlight ${name}: ${line}`)
    return 1
  }
}

function reasons(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [String(error)]
  if ('problems' in error && Array.isArray(error.problems)) return error.problems.map(String)
  if (error instanceof CommandFailed) return [error.message]
  const problem = databaseProblem(error)
  return [problem ?? `failed: ${error.message.split('\n')[0]}`]
}

function help(
  name: string | undefined,
  { print }: CommandContext,
  printError: (line: string) => void,
): number {
  const command = commands.find((known) => known.name === name)
  if (name !== undefined && command === undefined) {
    printError(`redlight: there is no command "${name}"; "redlight help" lists them`)
    return 2
  }
  if (command === undefined) {
    print(
      'redlight: the movie catalogue service that you host yourself\n\nUsage: redlight COMMAND [ARGUMENTS]\n',
    )
    for (const { name, summary } of commands) print(`  ${name.padEnd(12)} ${summary}`)
    print(`  ${'help'.padEnd(12)} Show this, or the help of a command: redlight help users`)
    print('\nEvery setting is an environment variable; the README lists them. "redlight serve" needs none.')
  } else print(`${command.summary}.\n\n${command.usage.trim()}`)
  return 0
}
