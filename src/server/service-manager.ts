import { dlopen, ptr } from 'bun:ffi'
import { describeError, type Log } from '../log'
import { askSelf } from './ask-self'

// What systemd and the service tell each other (sd_notify(3), sd_watchdog_enabled(3)): datagrams to a Unix socket,
// which Bun has no call for, so they go through libc. Without NOTIFY_SOCKET nothing is loaded and nothing is sent.

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
    starting: () => send('STATUS=starting: waits for its database, and brings it up to date'),
    /** It serves; from now on it says so for as long as that is true. Gives the way to say no more. */
    ready(url: URL): () => void {
      send(`READY=1\nSTATUS=listens on ${url.origin}`)
      if (watchdogMs === undefined) return () => {}
      // Asked for twice in the time that is given, so that one late answer is not yet the end.
      const everyMs = watchdogMs / 2
      const timer = setInterval(async () => {
        // Any status will do: a restart doesn't fix a database that is away.
        if (isStopping || (await askSelf(new URL('/v1/healthcheck', url), everyMs / 2)) !== undefined)
          send('WATCHDOG=1')
        else log.error('the service does not answer itself', { url: url.origin })
      }, everyMs)
      return () => clearInterval(timer)
    },
    stopping() {
      isStopping = true
      send('STOPPING=1\nSTATUS=finishes the requests under way')
    },
  }
}

function createSender(address: string | undefined, log: Log): (state: string) => void {
  if (address === undefined || address === '') return () => {}
  let libc: Libc | undefined
  return (state) => {
    try {
      // Opened once: each opening compiles code that stays.
      libc ??= openLibc()
      sendDatagram(libc, address, state)
    } catch (error) {
      log.warn('the service manager could not be told', { state, ...describeError(error) })
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

/** struct sockaddr_un; an abstract name, written with @, has a zero for its first byte and none at its end. */
function unixAddress(address: string): Buffer {
  const path = Buffer.from(address.startsWith('@') ? `\0${address.slice(1)}` : `${address}\0`)
  if (!/^[/@]/.test(address) || path.length > MAX_PATH_BYTES + 1)
    throw new Error(`NOTIFY_SOCKET ${address} is not the address of a Unix socket`)
  const family = Buffer.alloc(2)
  family.writeUInt16LE(AF_UNIX)
  return Buffer.concat([family, path])
}
