import { dlopen, ptr } from 'bun:ffi'
import { describeError, type Log } from '../log'
import { askSelf } from './ask-self'

// sd_notify(3) and sd_watchdog_enabled(3): datagrams to a Unix socket, for which Bun has no call, so they go
// through libc. Without NOTIFY_SOCKET nothing is loaded or sent.

export type ServiceManager = ReturnType<typeof createServiceManager>
type Environment = Readonly<Record<string, string | undefined>>

const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_NOSIGNAL = 0x4000
const MAX_PATH_BYTES = 107

export function createServiceManager(environment: Environment, pid: number, log: Log) {
  const send = createSender(environment.NOTIFY_SOCKET, log)
  const watchdogMs = watchdogOf(environment, pid)
  let isStopping = false

  return {
    starting: () => send('STATUS=starting: preparing the database'),
    /** Reports READY and starts watchdog pings; returns a function that stops them. */
    ready(url: URL): () => void {
      send(`READY=1\nSTATUS=listening on ${url.origin}`)
      if (watchdogMs === undefined) return () => {}
      // Two pings per watchdog period, so that one late answer isn't fatal.
      const everyMs = watchdogMs / 2
      const timer = setInterval(async () => {
        // Any status will do: a restart doesn't fix a database that is away.
        if (isStopping || (await askSelf(new URL('/v1/healthcheck', url), everyMs / 2)) !== undefined)
          send('WATCHDOG=1')
        else log.error('the service does not answer its own healthcheck', { url: url.origin })
      }, everyMs)
      return () => clearInterval(timer)
    },
    stopping() {
      isStopping = true
      send('STOPPING=1\nSTATUS=finishing the requests in progress')
    },
  }
}

function createSender(address: string | undefined, log: Log): (state: string) => void {
  if (address === undefined || address === '') return () => {}
  let libc: Libc | undefined
  return (state) => {
    try {
      // Opened once, because each opening compiles code that is never freed.
      libc ??= openLibc()
      sendDatagram(libc, address, state)
    } catch (error) {
      log.warn('could not notify the service manager', { state, ...describeError(error) })
    }
  }
}

function watchdogOf({ WATCHDOG_USEC, WATCHDOG_PID }: Environment, pid: number): number | undefined {
  const isForUs = WATCHDOG_PID === undefined || WATCHDOG_PID === String(pid)
  const milliseconds = Number(WATCHDOG_USEC) / 1000
  return isForUs && milliseconds > 0 ? milliseconds : undefined
}

function sendDatagram(libc: Libc, address: string, text: string) {
  const socketAddress = unixAddress(address)
  const data = Buffer.from(text)
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
  const target = [ptr(socketAddress), socketAddress.length] as const
  const sent = libc.sendto(socket, ptr(data), data.length, MSG_NOSIGNAL, ...target)
  libc.close(socket)
  if (Number(sent) !== data.length) throw new Error(`nothing takes messages at NOTIFY_SOCKET ${address}`)
}

type Libc = ReturnType<typeof openLibc>

function openLibc() {
  const { symbols } = dlopen('libc.so.6', {
    socket: { args: ['int', 'int', 'int'], returns: 'int' },
    sendto: { args: ['int', 'ptr', 'u64', 'int', 'ptr', 'u32'], returns: 'i64' },
    close: { args: ['int'], returns: 'int' },
  })
  return symbols
}

/** struct sockaddr_un. An abstract name, written with @, starts with a zero byte and has none at its end. */
function unixAddress(address: string): Buffer {
  const path = Buffer.from(address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`)
  if (!/^[/@]/.test(address) || path.length > MAX_PATH_BYTES + 1)
    throw new Error(`NOTIFY_SOCKET ${address} is not the address of a Unix socket`)
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat([family, path])
}
