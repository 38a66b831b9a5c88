import type { RootCommand } from '@bomb.sh/tab'
import { Argument, type Command } from 'commander'
import { bash, FILES, zsh } from '../terminal/completion-scripts'
import { addCommand, type CommandContext, oneOf } from './command'

const shells = ['bash', 'zsh', 'fish', 'powershell'] as const
type Shell = (typeof shells)[number]

/** Scripts that ask the program itself for candidates: `redlight complete -- users gr`. */
export function completionCommand(program: Command, { printText }: CommandContext) {
  addCommand(program, 'completion', {
    summary: 'Print a shell completion script',
    details: 'Load the script where the shell starts.',
    examples: [
      "echo 'source <(redlight completion bash)' >> ~/.bashrc",
      "echo 'source <(redlight completion zsh)' >> ~/.zshrc    # after compinit",
      'redlight completion fish > ~/.config/fish/completions/redlight.fish',
    ],
  })
    .addArgument(new Argument('<shell>', 'your shell').choices(shells).argParser(oneOf(shells)))
    .action(async (shell: Shell) => {
      if (shell === 'bash') return printText(bash)
      if (shell === 'zsh') return printText(zsh)
      const { script } = await import('@bomb.sh/tab')
      // fish passes the program as it was typed, so it need not be on the PATH.
      script(shell, 'redlight', shell === 'fish' ? '$args[1]' : 'redlight')
    })

  program
    .command('complete', { hidden: true })
    .argument('[word...]')
    .action(async (words: string[]) => {
      const command = program.commands.find((known) => known.name() === words[0])
      const isFile = command?.registeredArguments[0]?.name() === 'file' && !words.at(-1)?.startsWith('-')
      if (isFile && words.length > 1) return printText(FILES)
      const { RootCommand } = await import('@bomb.sh/tab')
      const root = new RootCommand()
      addTo(root, program)
      root.parse(words)
    })
}

/** Copies commander's command tree to tab. */
function addTo(root: RootCommand, command: Command, path = '') {
  const help = command.createHelp()
  const entry = path === '' ? root : root.command(path, command.summary())
  for (const { long, short, description, required, argChoices } of help.visibleOptions(command)) {
    const name = long?.slice(2) ?? ''
    if (required) entry.option(name, description, offer(argChoices))
    else entry.option(name, description, short?.slice(1))
  }
  for (const argument of command.registeredArguments)
    entry.argument(argument.name(), offer(argument.argChoices), argument.variadic)
  for (const subcommand of help.visibleCommands(command))
    addTo(root, subcommand, `${path} ${subcommand.name()}`.trim())
}

const offer =
  (words: readonly string[] = []) =>
  (complete: (word: string, description: string) => void) => {
    for (const word of words) complete(word, '')
  }
