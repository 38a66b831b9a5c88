import { visit } from 'jsonc-parser'
import { Failure } from '../errors'
import { createGate } from '../gate'
import { badlyFormed, shortened } from '../json/outline'
import { within, withoutDeadline } from '../waiting'
import { contextOf } from './context'

export const MAX_BODY_BYTES = 1_048_576
const MAX_DEPTH = 32
/** In total: a body that drips in holds memory until it is complete. */
const MAX_READING_MS = 15_000
/** Memory for all large bodies that are still arriving; small ones don't count. */
const MAX_ARRIVING_BYTES = 64 * MAX_BODY_BYTES
const SMALL_BYTES = 65_536
// Closing is cheaper than reading a refused body to its end.
const closeConnection = { headers: { Connection: 'close' } }

// TextDecoder drops a byte order mark.
const utf8 = new TextDecoder('utf-8', { fatal: true })
const JSON_TYPE = /^application\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i
// US-ASCII is UTF-8 too; glibc calls it ANSI_X3.4-1968.
const UTF8 = String.raw`(?:utf[-_]?8|(?:us[-_]?)?ascii|ansi_x3\.4-1968)`
const OTHER_CHARSET = new RegExp(String.raw`;\s*charset\s*=\s*(?!(?:${UTF8}|"${UTF8}")\s*(?:;|$))`, 'i')
const NO_CODING = /^(?:[\s,]|identity(?=[\s,]|$))*$/i

/** Large bodies are parsed one at a time, fairly among clients. */
const turns = createGate({
  concurrency: 1,
  maxWaiting: MAX_ARRIVING_BYTES / SMALL_BYTES,
  maxWaitMs: MAX_READING_MS,
  refusal: () => new Failure('tooManyBodies'),
})

/**
 * Reads the request's JSON object, with the `known` members. Throws 415, 413 or 400, or 503 while too much is
 * arriving.
 */
export async function readJsonObject(request: Request, known: object): Promise<Record<string, unknown>> {
  const type = request.headers.get('content-type') ?? ''
  if (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)) throw new Failure('unsupportedMediaType')
  if (!NO_CODING.test(request.headers.get('content-encoding') ?? ''))
    throw new Failure('unsupportedContentEncoding', { headers: { 'Accept-Encoding': 'identity' } })
  using room = openRoom()
  const bytes = await withoutDeadline(() => readBytes(request, room))
  contextOf(request).bodyBytes = bytes.byteLength
  const isLarge = bytes.byteLength > SMALL_BYTES
  const value = isLarge
    ? await turns.run(async () => parseJson(await shortened(decode(bytes), known, MAX_DEPTH)))
    : parseSmall(bytes)
  if (!isObject(value)) throw new Failure('notAnObject')
  return value
}

function parseSmall(bytes: Uint8Array): unknown {
  if (isNestedTooDeeply(bytes)) throw new Failure('nestedTooDeeply')
  const text = decode(bytes)
  if (text === '') throw new Failure('emptyBody')
  return parseJson(text)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

let arrivingBytes = 0

/** Memory for one body; disposing it gives the memory back. */
function openRoom() {
  let taken = 0
  return {
    /** Sets the size; throws 503 when the total would exceed the limit. */
    grow(size: number) {
      if (size <= SMALL_BYTES) return
      if (arrivingBytes - taken + size > MAX_ARRIVING_BYTES)
        throw new Failure('tooManyBodies', closeConnection)
      arrivingBytes += size - taken
      taken = size
    },
    [Symbol.dispose]() {
      arrivingBytes -= taken
    },
  }
}
type Room = ReturnType<typeof openRoom>

async function readBytes(request: Request, room: Room): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (Number(announced ?? 0) > MAX_BODY_BYTES) throw new Failure('bodyTooLarge', closeConnection)
  try {
    room.grow(Number(announced ?? 0))
    const bytes = announced === null ? readChunks(request, room) : request.bytes()
    return await within(MAX_READING_MS, bytes, tooSlow)
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('unreadableBody')
  }
}

function tooSlow(): never {
  throw new Failure('unreadableBody', closeConnection)
}

async function readChunks(request: Request, room: Room): Promise<Uint8Array> {
  // Copied out of the chunks: a body sent byte by byte would otherwise take 400 times its size.
  let bytes = new Uint8Array(4096)
  let size = 0
  for await (const chunk of request.body ?? []) {
    const end = size + chunk.byteLength
    if (end > MAX_BODY_BYTES) throw new Failure('bodyTooLarge', closeConnection)
    if (end > bytes.length) {
      // In few steps, since each leaves the smaller one to the garbage collector.
      const length = Math.min(4 * end, MAX_BODY_BYTES)
      room.grow(length)
      const larger = new Uint8Array(length)
      larger.set(bytes)
      bytes = larger
    }
    bytes.set(chunk, size)
    size = end
  }
  return bytes.subarray(0, size)
}

/** Runs before parsing, because later steps walk the value recursively. */
function isNestedTooDeeply(bytes: Uint8Array): boolean {
  const [QUOTE, BACKSLASH, OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [34, 92, 123, 125, 91, 93]
  let depth = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > MAX_DEPTH) return true
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
  }
  return false
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Failure('notUtf8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badlyFormed(errorPosition(text))
  }
}

/**
 * Offset at which a text stops being JSON; the engine's own error doesn't give it. The visitor stops at the
 * first error, because beyond it the nesting depth is unchecked.
 */
function errorPosition(text: string): number {
  let offset = text.length
  const onError = (_code: number, at: number) => {
    offset = Math.min(at, text.length)
    throw new SyntaxError()
  }
  try {
    visit(text, { onError }, { disallowComments: true, allowTrailingComma: false })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return offset
}
