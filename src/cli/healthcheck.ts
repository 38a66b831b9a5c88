import type { Command } from 'commander'
import { OperatorError } from '../errors'
import { askSelf } from '../server/ask-self'
import { addCommand, type CommandContext } from './command'

const TIMEOUT_MS = 5000

export function healthcheckCommand(program: Command, { readConfig, print }: CommandContext) {
  addCommand(program, 'healthcheck', {
    summary: 'Ask the running service whether it is available',
    details: `Asks the service at HOST and PORT. Exits 0 if it can answer reads and 1 if it
can't, as a container engine wants it.`,
    examples: ['redlight healthcheck', 'redlight healthcheck --writes', 'PORT=8080 redlight healthcheck'],
  })
    .option('--writes', 'exit 1 also while the database takes no writes')
    .action(async ({ writes }: { writes?: boolean }) => {
      const { host, port } = readConfig()
      const url = `http://${reachable(host)}:${port}/v1/healthcheck${writes ? '?for=writes' : ''}`
      const answer = await askSelf(url, TIMEOUT_MS)
      if (answer === undefined)
        throw new OperatorError(`nothing answers at ${url}; is "redlight serve" running?`)
      if (answer.status !== 200) throw new OperatorError(`${url} answers ${answer.status}: ${answer.body}`)
      print('available')
    })
}

/** A wildcard address can't be requested; its listener also answers on loopback. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
