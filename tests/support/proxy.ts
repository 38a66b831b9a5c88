import { connect, createServer, type Socket } from 'node:net'

// A proxy between the service and its database, with several kinds of failure.

/** `closing`: accepts and closes; `starting`: PostgreSQL isn't up yet; `silent`: never responds; `slow`: responds late. */
export type ProxyMode = 'passing' | 'closing' | 'starting' | 'silent' | 'slow'
/** Late enough that two responses together are too late. */
const SLOW_MS = 2500

export type Proxy = Awaited<ReturnType<typeof startProxy>>

export async function startProxy(port: number, firstMode: ProxyMode) {
  let mode = firstMode
  let accepted = 0
  const sockets = new Set<Socket>()
  const leaveSilently = new Set<() => void>()

  function pass(client: Socket) {
    const server = connect(port, '127.0.0.1')
    let isGone = false
    leaveSilently.add(() => {
      isGone = true
      server.destroy()
    })
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from)
      let delivered = Promise.resolve()
      const inTurn = (deliver: () => void) => {
        const at = performance.now() + (mode === 'slow' && from === server ? SLOW_MS : 0)
        delivered = delivered.then(async () => {
          if (at > performance.now()) await Bun.sleep(at - performance.now())
          if (!isGone) deliver()
        })
      }
      from.on('data', (bytes) => inTurn(() => to.write(bytes)))
      from.on('error', () => {})
      from.on('close', () => inTurn(() => to.destroy()))
    }
  }

  const server = createServer((client) => {
    accepted++
    sockets.add(client)
    client.on('error', () => {})
    if (mode === 'passing' || mode === 'slow') pass(client)
    else if (mode === 'closing') client.end()
    else client.once('data', () => client.end(startingUp()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    accepted: () => accepted,
    become(next: ProxyMode) {
      mode = next
    },
    /** Like a power cut: it is gone without closing its connections. */
    dropConnections() {
      for (const leave of leaveSilently) leave()
      leaveSilently.clear()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function startingUp(): Buffer {
  const fields = 'SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0'
  const message = Buffer.alloc(5 + fields.length)
  message.write('E')
  message.writeUInt32BE(4 + fields.length, 1)
  message.write(fields, 5)
  return message
}
