import { until } from './until'

// systemd's end of sd_notify: a datagram socket, which Bun can't open, so Python does.

const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
receiver.bind('\\0' + name[1:] if name[0] == '@' else name)
print('bound', flush=True)
while True:
    print(receiver.recv(4096).decode().replace('\\n', ' '), flush=True)
`

const MARK = 'a mark'
const SENDER = `
import socket, sys
name = sys.argv[1]
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'${MARK}', '\\0' + name[1:] if name[0] == '@' else name)
`

export const canReceive = Bun.which('python3') !== null
if (!canReceive) console.warn('left out: tests of what systemd is told: no python3')

/** The messages that arrive at an address, one per line. */
export async function receiveAt(address: string) {
  const child = Bun.spawn(['python3', '-c', RECEIVER, address], { stdout: 'pipe', stderr: 'inherit' })
  const messages: string[] = []
  const bound = Promise.withResolvers<void>()
  async function read() {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines)
        if (line === 'bound') bound.resolve()
        else messages.push(line)
    }
  }
  read()
  await bound.promise
  return {
    messages,
    async until(pattern: RegExp, times = 1) {
      await until(() => messages.filter((message) => pattern.test(message)).length >= times)
    },
    /** Sends a message; once it arrives, all earlier ones have arrived. */
    async mark() {
      await Bun.$`python3 -c ${SENDER} ${address}`.quiet()
      await until(() => messages.includes(MARK))
    },
    async close() {
      child.kill()
      await child.exited
    },
  }
}
