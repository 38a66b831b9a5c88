import { version } from '../server/version'
import { type Command, words } from './command'

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
