import { connect, type Socket } from 'node:net'

// A client that sends what no HTTP library would.

/** A request up to its body. */
export const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')

export type RawClient = Awaited<ReturnType<typeof openRaw>>

export async function openRaw(url: URL) {
  const socket: Socket = connect(Number(url.port), url.hostname)
  const answered = Promise.withResolvers<void>()
  const answeredWholly = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let received = ''
  let isOpen = true
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
    answered.resolve()
    if (isWhole(received)) answeredWholly.resolve()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isOpen = false
    closed.resolve()
    answered.resolve()
    answeredWholly.resolve()
  })
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
    socket.once('close', resolve)
  })
  return {
    received: () => received,
    isOpen: () => isOpen,
    /** Once the first byte is there, or will never be. */
    answered: answered.promise,
    /** Once an answer is there with its whole body, or will never be. */
    answeredWholly: answeredWholly.promise,
    closed: closed.promise,
    /** Resolves once it is on its way, or the connection is gone. */
    send: (data: string | Uint8Array) =>
      Promise.race([new Promise<void>((resolve) => socket.write(data, () => resolve())), closed.promise]),
    /** Says that nothing more will be sent. */
    end: () => socket.end(),
    close: () => socket.destroy(),
  }
}

function isWhole(received: string): boolean {
  const [head = '', ...body] = received.split('\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return length !== undefined && body.join('\r\n\r\n').length >= Number(length)
}

/** What comes back within a moment of the last byte. */
export async function sendRaw(url: URL, data: string, patienceMs = 2000) {
  const client = await openRaw(url)
  await client.send(data)
  const until = performance.now() + patienceMs
  let before = -1
  while (client.isOpen() && performance.now() < until) {
    await Bun.sleep(150)
    const now = client.received().length
    if (now > 0 && now === before) break
    before = now
  }
  const text = client.received()
  const isClosed = !client.isOpen()
  client.close()
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
  return { text, statuses, isClosed }
}
