import { OperatorError } from '../errors'
import { type Command, mixed, words } from './command'

const PATIENCE_MS = 5000

export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Ask the running service whether it is well',
  usage: `
Usage: redlight healthcheck [--writes]

Asks the service at HOST and PORT. Exits 0 when it can answer reads and 1 when
it can't, as a container engine wants it.

Options:
  --writes   exit 1 also while the database takes no writes: it is read-only, a
             standby or away

Examples:
  redlight healthcheck
  redlight healthcheck --writes
  PORT=8080 redlight healthcheck`,

  async run(args, { readConfig, print }) {
    const { flags, rest } = mixed(args, ['writes'])
    words(rest, [])
    const { host, port } = readConfig()
    const url = `http://${reachable(host)}:${port}/v1/healthcheck${flags.has('writes') ? '?for=writes' : ''}`
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined)
    if (response === undefined)
      throw new OperatorError(`nothing answers at ${url}; is "redlight serve" running?`)
    if (!response.ok) throw new OperatorError(`${url} answers ${response.status}: ${await response.text()}`)
    print('available')
  },
}

/** A wildcard is no address to ask; the service behind it answers on the loopback one. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
