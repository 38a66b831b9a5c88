import { OperatorError } from '../errors'
import { type Command, words } from './command'

const PATIENCE_MS = 5000

export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Ask the running service whether it is well',
  usage: `
Usage: redlight healthcheck

Asks the service at HOST and PORT. Exits 0 when it is available and 1 when it is
not, as a container engine wants it.

Examples:
  redlight healthcheck
  PORT=8080 redlight healthcheck`,

  async run(args, { readConfig, print }) {
    words(args, [])
    const { host, port } = readConfig()
    const url = `http://${reachable(host)}:${port}/v1/healthcheck`
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
