import { Argument, Command, CommanderError } from 'commander'
import { allVariables, ConfigError } from '../config/config'
import { OperatorError, UsageError } from '../errors'
import { auditCommand } from '../moderation/audit'
import { keysCommand } from '../moderation/keys'
import { moviesCommand } from '../moderation/movies'
import { usersCommand } from '../moderation/users'
import { didYouMean, quoted } from '../rules/suggest'
import { version } from '../server/version'
import { backupCommand } from './backup'
import { addCommand, addExamples, type CommandContext, Exit, reasonsOf } from './command'
import { completionCommand } from './completion'
import { doctorCommand } from './doctor'
import { exportCommand } from './export'
import { healthcheckCommand } from './healthcheck'
import { importCommand } from './import'
import { migrateCommand } from './migrate'
import { restoreCommand } from './restore'
import { seedCommand } from './seed'
import { serveCommand } from './serve'

const commands = [
  serveCommand,
  migrateCommand,
  seedCommand,
  usersCommand,
  keysCommand,
  moviesCommand,
  auditCommand,
  importCommand,
  exportCommand,
  backupCommand,
  restoreCommand,
  doctorCommand,
  healthcheckCommand,
  completionCommand,
  versionCommand,
]

/** EX_CONFIG of sysexits.h, after which the systemd units don't restart the service. */
const FINAL = 78

/**
 * Runs a command line and returns its exit code: 0 done, 1 failed, 2 wrong usage, 78 if `serve` can never
 * start.
 */
export async function runCommandLine(argv: readonly string[], context: CommandContext): Promise<number> {
  const { printError } = context
  let help = ''
  const program = createProgram(context, (text) => {
    help += text
  })
  let command = program
  for (const group of [program, ...program.commands])
    group.hook('preSubcommand', (_, next) => {
      command = next
    })
  try {
    await program.parseAsync(inFull(argv), { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof Exit) return error.code
    const name = nameOf(command)
    const usage = usageProblem(error, command)
    if (usage === '') context.printText(help.trimEnd())
    else if (usage !== undefined)
      printError(`${name}: ${usage}${usage.endsWith('?') ? ' See' : '; see'} "${name} --help"`)
    else for (const line of reasonsOf(error)) printError(`${name}: ${line}`)
    if (usage !== undefined) return usage === '' ? 0 : 2
    return command.name() === 'serve' && isFinal(error) ? FINAL : 1
  }
}

function createProgram(context: CommandContext, writeHelp: (text: string) => void): Command {
  const { bold, cyan } = context.colours
  const program = new Command('redlight')
    .description(
      'The movie catalogue service that you host yourself. All settings are environment\nvariables; the README lists them.',
    )
    .option('-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .enablePositionalOptions()
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: writeHelp,
      writeErr: () => {},
      getOutHelpWidth: () => 80,
      getOutHasColors: () => true,
    })
    .configureHelp({ styleTitle: bold, styleOptionText: cyan, styleSubcommandText: cyan })
  for (const add of commands) add(program, context)
  program.addHelpCommand(
    new Command('help')
      .summary('Show this, or the help of a command')
      .addArgument(new Argument('[command]').choices(commandsOf(program))),
  )
  return addExamples(program, [
    'redlight serve         the service, with movies in it; it needs no settings',
    'redlight help users    the same as: redlight users --help',
  ])
}

/** Rewrites alternative spellings to the long form. */
function inFull([first = '--help', ...rest]: readonly string[]): string[] {
  if (first === 'help') return [...(rest[0] === 'help' ? [] : rest), '--help']
  return ['-v', '-V', '--version'].includes(first) ? ['version'] : [first, ...rest]
}

const commandsOf = (command: Command) =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((known) => known.name())

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`

/** The error in the command line; empty if it asks for help, undefined if the error is something else. */
function usageProblem(error: unknown, command: Command): string | undefined {
  if (error instanceof UsageError) return error.message
  if (!(error instanceof CommanderError)) return undefined
  const subcommands = commandsOf(command)
  const [word = '-'] = command.args
  if (subcommands.length > 0 && !word.startsWith('-'))
    return `unknown ${command.parent === null ? '' : 'sub'}command ${quoted(word)}${didYouMean(word, subcommands)}`
  switch (error.code) {
    case 'commander.helpDisplayed':
      return ''
    case 'commander.help':
      return `missing subcommand: ${subcommands.join(', ')}`
    case 'commander.unknownOption':
      return unknownOption(/'(.*)'/s.exec(error.message)?.[1] ?? '', command)
    case 'commander.excessArguments':
      return `unexpected argument ${quoted(command.args[command.registeredArguments.length] ?? '')}`
    default:
      return error.message.replace('error: ', '').replaceAll("'", '"')
  }
}

function unknownOption(text: string, command: Command): string {
  const [option = ''] = text.split('=')
  const variable = option.replace(/^-+/, '').toUpperCase().replaceAll('-', '_')
  const isVariable = allVariables.some(({ name }) => name === variable)
  const options = command.createHelp().visibleOptions(command)
  const known = options.map(({ long }) => long ?? '')
  if (isVariable) return `unknown option ${quoted(option)}: set the environment variable ${variable} instead`
  return `unknown option ${quoted(option)}${didYouMean(option, known)}`
}

const isFinal = (error: unknown) =>
  error instanceof ConfigError || (error instanceof OperatorError && error.isFinal)

function versionCommand(program: Command, { print }: CommandContext) {
  addCommand(program, 'version', {
    summary: 'Print the version',
    examples: ['redlight version'],
  }).action(() => print(version))
}
