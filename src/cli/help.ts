import type { Colours } from './colours'
import type { Command } from './command'

const NAME_WIDTH = 12

/** What `redlight` says by itself: all of it on one screen. */
export function overview(commands: readonly Command[], { bold, cyan }: Colours): string {
  const line = (name: string, summary: string) => `  ${cyan(name.padEnd(NAME_WIDTH))} ${summary}`
  return [
    `${bold('redlight')}: the movie catalogue service that you host yourself`,
    '',
    `${bold('Usage:')} redlight COMMAND [ARGUMENTS]`,
    '',
    ...commands.map(({ name, summary }) => line(name, summary)),
    line('help', 'Show this, or the help of a command'),
    '',
    bold('Examples:'),
    '  redlight serve          the service, with films in it; it needs no settings',
    '  redlight help users     the same as: redlight users --help',
    '',
    'Every setting is an environment variable; the README lists them.',
  ].join('\n')
}

export const commandHelp = ({ summary, usage }: Command, { bold }: Colours): string =>
  `${summary}.\n\n${usage.trim().replace(/^(Usage|Examples?):/gm, (heading) => bold(heading))}`
