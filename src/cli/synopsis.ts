import type { Command } from './command'

/** What follows the name of a command, as its usage lists it. */
export type Synopsis = {
  /** The options of the command by itself. */
  readonly options: readonly string[]
  /** Its second words, where it has any, each with its options. */
  readonly subcommands: ReadonlyMap<string, readonly string[]>
}

const OPTION = /--[a-z][a-z-]*/g

/**
 * Reads the usage of a command, whose lines start as in "Usage: redlight users add --email ADDRESS": help, checks and
 * shell completion have one source, and can't disagree.
 */
export function synopsisOf({ name, usage }: Pick<Command, 'name' | 'usage'>): Synopsis {
  const options = new Set<string>()
  const subcommands = new Map<string, string[]>()
  for (const [, text = ''] of usage.matchAll(/^(?:Usage:| {6}) redlight (.+(?:\n {8,}\S.*)*)/gm)) {
    const [command, second = ''] = text.split(/\s+/)
    if (command !== name) continue
    const found = text.match(OPTION) ?? []
    const alternatives = /^[a-z][a-z|-]*$/.test(second) ? second.split('|') : []
    for (const word of alternatives) subcommands.set(word, [...(subcommands.get(word) ?? []), ...found])
    if (alternatives.length === 0) for (const option of found) options.add(option)
  }
  return { options: [...options], subcommands }
}

/** Every option that the usage of a command speaks of. */
export const optionsOf = ({ usage }: Pick<Command, 'usage'>): readonly string[] => usage.match(OPTION) ?? []
