/**
 * The parts of PostgreSQL's protocol that the bridge reads: a type byte, a length that includes itself, a
 * body.
 */
export const MESSAGE = {
  query: byte('Q'),
  parse: byte('P'),
  close: byte('C'),
  sync: byte('S'),
  flush: byte('H'),
  terminate: byte('X'),
  readyForQuery: byte('Z'),
  notification: byte('A'),
  error: byte('E'),
} as const
export const STATUS_IDLE = byte('I')
export const CLOSE_STATEMENT = byte('S')

/** What a connection may send in place of the protocol version. */
export const REQUEST = { cancel: 80877102, tls: 80877103, gssEncryption: 80877104 } as const
export const ENCRYPTION_REFUSED = Buffer.from('N')

const HEADER_BYTES = 5

/** The complete messages at the start of `bytes`. */
export function* messagesIn(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; messageLength(bytes, start) <= bytes.length - start; ) {
    const end = start + messageLength(bytes, start)
    yield bytes.subarray(start, end)
    start = end
  }
}

/** Length of the message at `start`, or as many bytes as are needed to read the length. */
export function messageLength(bytes: Buffer, start: number): number {
  if (bytes.length - start < HEADER_BYTES) return HEADER_BYTES
  const length = bytes.readUInt32BE(start + 1)
  if (length < 4) throw failure('08P01', 'A message to the embedded database was malformed.')
  return 1 + length
}

export function frame(type: string, body = ''): Buffer {
  const bytes = Buffer.from(`${type}\0\0\0\0${body}`)
  bytes.writeUInt32BE(bytes.length - 1, 1)
  return bytes
}

/** Text from `start` to the next NUL. */
export function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start, bytes.indexOf(0, start))
}

/** The error of a message by which PostgreSQL ends. */
export function panicIn(message: Buffer): Error | undefined {
  if (message[0] !== MESSAGE.error) return undefined
  const fields = new Map<string, string>()
  for (let at = HEADER_BYTES; message[at]; at = message.indexOf(0, at) + 1)
    fields.set(String.fromCharCode(message[at] ?? 0), textAt(message, at + 1))
  if (fields.get('V') !== 'PANIC') return undefined
  return failure(fields.get('C') ?? '', fields.get('M') ?? '')
}

/** An error with a code, like those of PostgreSQL and postgres.js. */
export function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

/** A lost connection to the caller; PGlite also throws values that aren't Errors. */
export function connectionError(error: unknown): Error {
  if (error instanceof Error && 'code' in error) return error
  const reason = error instanceof Error ? error.message : String(error)
  return failure('CONNECTION_CLOSED', `The embedded database failed: ${reason}`)
}

function byte(character: string): number {
  return character.charCodeAt(0)
}
