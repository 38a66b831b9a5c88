import { Writable } from 'node:stream'
import { runCommandLine } from '../../src/cli/index'
import { createColours } from '../../src/terminal/colours'
import type { Finished } from './command-line'

const unused = (): never => {
  throw new Error('neither help nor wrong usage needs this')
}

/** Runs a command line for help or with errors in this process, a hundred times as fast as in a new one. */
export async function usage(args: string[]): Promise<Finished> {
  const out: string[] = []
  const error: string[] = []
  const code = await runCommandLine(args, {
    readConfig: unused,
    unknownVariables: unused,
    settingFiles: unused,
    createLog: unused,
    serviceManager: unused,
    withDatabase: unused,
    withDatabaseToTry: unused,
    withDatabaseAlone: unused,
    print: (line) => out.push(`${line}\n`),
    table: unused,
    printText: (text) => out.push(`${text}\n`),
    colours: createColours(false),
    progress: unused,
    readInput: unused,
    ask: undefined,
    input: { [Symbol.asyncIterator]: unused },
    output: new Writable(),
    printError: (line) => error.push(`${line}\n`),
    untilSignal: unused,
  })
  return { code, out: out.join(''), error: error.join('') }
}
