import { connect, type Socket } from 'node:net'

// A client for requests that no HTTP library sends.

/** A request without its body. */
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
    /** Stops reading. */
    pause: () => socket.pause(),
    /** Resolves once the first byte has arrived, or can't any more. */
    answered: answered.promise,
    /** Resolves once a complete response has arrived, or can't any more. */
    answeredWholly: answeredWholly.promise,
    closed: closed.promise,
    /** Resolves once it is sent, or the connection is closed. */
    send: (data: string | Uint8Array) =>
      Promise.race([new Promise<void>((resolve) => socket.write(data, () => resolve())), closed.promise]),
    /** Ends the sending side. */
    end: () => socket.end(),
    close: () => socket.destroy(),
  }
}

function isWhole(received: string): boolean {
  const [head = '', ...body] = received.split('\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return length !== undefined && body.join('\r\n\r\n').length >= Number(length)
}

/** Everything received until the other end closes; valid requests must ask it to. */
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
