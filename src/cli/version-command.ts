import { type Command, words } from './command'
import { version } from './version'

export const versionCommand: Command = {
  name: 'version',
  summary: 'Print the version',
  usage: `
Usage: redlight version

Example:
  redlight version`,
  async run(args, { print }) {
    words(args, [])
    print(version)
  },
}
