import type { Server, Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export type ReceivedMail = {
  to: string
  header: string
  text: string
  html: string
  messageId: string
  token: string
}

const TOKEN = /^[A-Z2-7]{26}$/m

/** A real SMTP server that keeps the mails it gets. */
export async function startSmtp(options: SMTPServerOptions = {}, port = 0) {
  const received: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, callback) {
      readText(stream).then((raw) => {
        received.push(parseMail(raw, session.envelope.rcptTo.map(({ address }) => address).join()))
        callback()
      }, callback)
    },
    ...options,
  })
  server.on('error', () => {})
  return { received, ...(await listenOn(server.server, port)) }
}

export async function listenOn(server: Server, port = 0) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, sockets, stop }
}

export function parseMail(raw: string, to: string): ReceivedMail {
  const [header = '', ...rest] = raw.split('\r\n\r\n')
  const boundary = /boundary="([^"]+)"/.exec(header)?.[1] ?? ''
  const [, plain = '', html = ''] = rest.join('\r\n\r\n').split(`--${boundary}`).map(contentOfPart)
  const messageId = /^Message-ID: (.+)$/im.exec(header)?.[1] ?? ''
  return { to, header, text: plain, html, messageId, token: TOKEN.exec(plain)?.[0] ?? '' }
}

function contentOfPart(part: string): string {
  const end = part.indexOf('\r\n\r\n')
  const content = part.slice(end + 4)
  return /quoted-printable/i.test(part.slice(0, end))
    ? decodeQuotedPrintable(content)
    : content.replaceAll('\r\n', '\n')
}

const decodeQuotedPrintable = (encoded: string) => {
  const bytes = encoded
    .replaceAll('\r\n', '\n')
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
