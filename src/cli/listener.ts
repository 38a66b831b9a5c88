import type { Config } from '../config'
import { withDeadline } from '../deadline'
import { failures } from '../errors'
import { jsonResponse } from '../http/responses'
import { describeError, type Log } from '../log'
import { CommandFailed } from './command'

const IDLE_TIMEOUT_SECONDS = 30
// So high that it is the API's own limit that answers. A body that nobody reads stays in the client's socket.
const MAX_REQUEST_BODY_BYTES = 2 ** 40
/** Leaves half a second of the five for everything that is not waiting. */
const REQUEST_DEADLINE_MS = 4500
/** Even without a delay busy clients are told that their connection ends: closed as idle, it might carry their next request. */
const FAREWELL_MS = 100

type ListenConfig = Pick<Config, 'host' | 'port' | 'database' | 'shutdownDelayMs' | 'shutdownTimeoutMs'>
type Handle = (request: Request, socketAddress: () => string) => Promise<Response>
export type Listener = {
  readonly url: URL
  /** Tells every client to let go of its connection, then refuses new ones, and gives the requests under way their time. */
  stop(): Promise<void>
}

export function listen(config: ListenConfig, handle: Handle, log: Log): Listener {
  // A query of the embedded database can't be cancelled, so waiting for it is all there is.
  const deadlineMs = config.database.kind === 'postgres' ? REQUEST_DEADLINE_MS : Number.POSITIVE_INFINITY
  let isStopping = false
  const server = orSayWhy(config, () =>
    Bun.serve({
      hostname: config.host,
      port: config.port,
      development: false,
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
      async fetch(request, server) {
        const address = () => server.requestIP(request)?.address ?? ''
        const response = await withDeadline(deadlineMs, () => handle(request, address))
        if (isStopping) response.headers.set('Connection', 'close')
        return response
      },
      error(error) {
        log.error('the pipeline failed', describeError(error))
        return jsonResponse({ error: failures.internal.message }, failures.internal.status)
      },
    }),
  )
  return {
    url: server.url,
    async stop() {
      isStopping = true
      await Bun.sleep(Math.max(config.shutdownDelayMs, FAREWELL_MS))
      await Promise.race([server.stop(), Bun.sleep(config.shutdownTimeoutMs)])
      await server.stop(true)
    },
  }
}

function orSayWhy<T>({ host, port }: ListenConfig, start: () => T): T {
  try {
    return start()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'EADDRINUSE')
      throw new CommandFailed(
        `PORT ${port} is in use by another program: stop that one, or set PORT to another port`,
      )
    if (code === 'EACCES')
      throw new CommandFailed(`PORT ${port} is not for every user: set PORT to 1024 or above`)
    throw new CommandFailed(
      `HOST ${host} can't be listened on (${code}): set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0`,
    )
  }
}
