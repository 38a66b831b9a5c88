import { didYouMean, shown } from '../rules/suggest'
import { type Command, UsageError, words } from './command'
import { synopsisOf } from './synopsis'

/** What may follow a command: its second words, and after them (or at once) options. */
type Entry = {
  readonly name: string
  readonly summary: string
  readonly seconds: readonly string[]
  readonly options: readonly string[]
  readonly optionsOf: readonly (readonly [second: string, options: readonly string[]])[]
}

const shells: Readonly<Record<string, (entries: readonly Entry[]) => string>> = { bash, zsh, fish }

/** The completions of the shells, made from the table of commands. */
export const completionFor = (commands: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: 'Print what makes a shell complete these commands',
  usage: `
Usage: redlight completion bash|zsh|fish

Prints a script for the shell; load it where the shell starts.

Examples:
  echo 'source <(redlight completion bash)' >> ~/.bashrc
  echo 'source <(redlight completion zsh)' >> ~/.zshrc    # below compinit
  redlight completion fish > ~/.config/fish/completions/redlight.fish`,

  async run(args, { printText }) {
    const [shell = ''] = words(args, ['SHELL (bash, zsh or fish)'])
    const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined
    const names = Object.keys(shells)
    if (script === undefined)
      throw new UsageError(`${shown(shell)} is not one of ${names.join(', ')}${didYouMean(shell, names)}`)
    const entries = commands().map(entryOf)
    const help = entryOf({ name: 'help', summary: 'Show the help of a command', usage: '' })
    printText(script([...entries, { ...help, seconds: entries.map(({ name }) => name) }]))
  },
})

function entryOf(command: Pick<Command, 'name' | 'summary' | 'usage'>): Entry {
  const { options, subcommands } = synopsisOf(command)
  const { name, summary } = command
  return { name, summary, options, seconds: [...subcommands.keys()], optionsOf: [...subcommands] }
}

const HELP = '--help'

function bash(entries: readonly Entry[]): string {
  const cases = entries.flatMap(({ name, seconds, options, optionsOf }) => [
    ...optionsOf.filter(([, more]) => more.length > 0).map(([second, more]) => [`${name} ${second} *`, more]),
    ...(seconds.length === 0 ? [] : [[`${name} `, [...seconds, HELP]]]),
    [`${name} *`, [...options, HELP]],
  ])
  return `_redlight() {
  local candidates
  case "$(IFS=' '; echo "\${COMP_WORDS[*]:1:COMP_CWORD-1}") " in
    ' ') candidates='${entries.map(({ name }) => name).join(' ')} ${HELP}' ;;
${cases.map(([pattern, found]) => `    ${quotedPattern(String(pattern))}) candidates='${[found].flat().join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _redlight redlight`
}

/** The star of a pattern stands outside its quotes. */
const quotedPattern = (text: string) => (text.endsWith('*') ? `'${text.slice(0, -1)}'*` : `'${text}'`)

function zsh(entries: readonly Entry[]): string {
  const described = entries.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", "'\\''")}'`)
  const cases = entries.flatMap(({ name, seconds, options, optionsOf }) => [
    ...(seconds.length === 0 ? [] : [`'${name} 3') compadd -- ${[...seconds, HELP].join(' ')}; return ;;`]),
    ...optionsOf
      .filter(([, more]) => more.length > 0)
      .map(([second, more]) => `'${name} '*' ${second}') compadd -- ${more.join(' ')} ;;`),
    `'${name} '*) compadd -- ${[...options, HELP].join(' ')} ;;`,
  ])
  return `#compdef redlight
_redlight() {
  local -a commands=(${described.join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local second
  (( CURRENT > 3 )) && second=" $words[3]"
  case "$words[2] $CURRENT$second" in
    ${cases.join('\n    ')}
  esac
  _files
}
if [[ $funcstack[1] == _redlight ]]; then _redlight "$@"; else compdef _redlight redlight; fi`
}

function fish(entries: readonly Entry[]): string {
  const complete = (condition: string, what: string) => `complete -c redlight -n '${condition}' ${what}`
  return entries
    .flatMap(({ name, summary, seconds, options, optionsOf }) => {
      const here = `__fish_seen_subcommand_from ${name}`
      return [
        complete('__fish_use_subcommand', `-f -a ${name} -d '${summary.replaceAll("'", "\\'")}'`),
        ...(seconds.length === 0
          ? []
          : [
              complete(
                `${here}; and not __fish_seen_subcommand_from ${seconds.join(' ')}`,
                `-f -a '${seconds.join(' ')}'`,
              ),
            ]),
        ...options.map((option) => complete(here, `-l ${option.slice(2)}`)),
        ...optionsOf.flatMap(([second, more]) =>
          more.map((option) =>
            complete(`${here}; and __fish_seen_subcommand_from ${second}`, `-l ${option.slice(2)}`),
          ),
        ),
        complete(here, `-l help -d 'Show the help'`),
      ]
    })
    .join('\n')
}
