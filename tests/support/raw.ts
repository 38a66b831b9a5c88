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
    /** Reads nothing any more. */
    pause: () => socket.pause(),
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

/** All that comes back until the other end closes: a request that is sent as it should be asks for that itself. */
export async function sendRaw(url: URL, data: string) {
  const client = await openRaw(url)
  await client.send(data)
  await client.closed
  const text = client.received()
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))
  return { text, statuses }
}

/** Sends a piece five times a second until the other end closes. */
export async function drip(client: RawClient, piece: string) {
  while (client.isOpen()) {
    await client.send(piece)
    await Promise.race([client.closed, Bun.sleep(200)])
  }
}
