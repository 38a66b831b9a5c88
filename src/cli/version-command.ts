import type { Command } from 'commander'
import { version } from '../server/version'
import { addCommand, type CommandContext } from './command'

export function versionCommand(program: Command, { print }: CommandContext) {
  addCommand(program, 'version', {
    summary: 'Print the version',
    examples: ['redlight version'],
  }).action(() => print(version))
}
