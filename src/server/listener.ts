import type { Config } from '../config/config'
import { failures, OperatorError } from '../errors'
import { json } from '../http/answers'
import { describeError, type Log } from '../log'
import { pause, within } from '../waiting'

const IDLE_TIMEOUT_SECONDS = 30
// Above our own 1 MiB, so that our 413 answers. A body that isn't read stays in the client's socket.
const MAX_REQUEST_BODY_BYTES = 2 ** 40
/**
 * Even without a delay, busy clients get a Connection: close, since an idle close could hit their next
 * request.
 */
const FAREWELL_MS = 100

type ListenConfig = Pick<Config, 'host' | 'port' | 'shutdownDelayMs' | 'shutdownTimeoutMs'>
type Handle = (request: Request, socketAddress: () => string) => Response | Promise<Response>
export type Listener = {
  readonly url: URL
  /** Asks every client to close its connection, then refuses new ones and lets running requests finish. */
  stop(): Promise<void>
}

export function listen(config: ListenConfig, handle: Handle, log: Log): Listener {
  let isStopping = false
  /** Adds Connection: close if a stop began meanwhile. */
  const farewell = async (answer: Response | Promise<Response>) => {
    const response = await answer
    if (isStopping) response.headers.set('Connection', 'close')
    return response
  }
  const server = explainListenError(config, () =>
    Bun.serve({
      hostname: config.host,
      port: config.port,
      development: false,
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
      fetch(request, server) {
        const address = () => server.requestIP(request)?.address ?? ''
        const response = handle(request, address)
        return isStopping || response instanceof Promise ? farewell(response) : response
      },
      error(error) {
        log.error('the pipeline failed', describeError(error))
        return json({ error: failures.internal.message }, failures.internal.status)
      },
    }),
  )
  return {
    url: server.url,
    async stop() {
      isStopping = true
      await pause(Math.max(config.shutdownDelayMs, FAREWELL_MS))
      await within(config.shutdownTimeoutMs, server.stop(), () => {})
      await server.stop(true)
    },
  }
}

function explainListenError<T>({ host, port }: ListenConfig, start: () => T): T {
  try {
    return start()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'EADDRINUSE')
      throw new OperatorError(
        `PORT ${port} is in use by another program: stop that one, or set PORT to another port`,
      )
    if (code === 'EACCES')
      throw new OperatorError(`PORT ${port} needs root: set PORT to 1024 or above`, { isFinal: true })
    throw new OperatorError(
      `can't listen on HOST ${host} (${code}): set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0`,
    )
  }
}
