import type { Command } from 'commander'
import type { CommandContext } from '../cli/command'
import { OperatorError, UsageError } from '../errors'

export type YesOption = { readonly yes?: true }

/** The option of every command that removes something. */
export const addYes = (command: Command): Command =>
  command.option('--yes', 'without asking first; needed where there is no terminal')

/** Throws unless the removal was agreed to: by --yes, or by a person at the terminal. */
export async function requireYes(
  { ask }: Pick<CommandContext, 'ask'>,
  yes: true | undefined,
  question: string,
): Promise<void> {
  if (yes) return
  if (ask === undefined) throw new UsageError('there is no terminal to ask on: add --yes')
  if (!(await ask.confirm(question))) throw new OperatorError('nothing was removed')
}
