import { Failure } from '../errors'
import { after, currentBill, pause } from '../waiting'

/** Limits on the large answers that wait to be read: in total and for one client. */
const MAX_UNREAD_BYTES = 64 * 1_048_576
const MAX_UNREAD_BYTES_OF_CLIENT = MAX_UNREAD_BYTES / 2
/** A slower client is cut off; one that doesn't read at all is idle, and is cut off sooner. */
const MIN_BYTES_PER_SECOND = 65_536
const CHUNK_BYTES = 65_536
const SLICE_BYTES = 524_288
const RETRY_AFTER_SECONDS = '5'

const utf8 = new TextEncoder()
const unreadOf = new Map<string | undefined, number>()
let unread = 0

/** Bytes of large answers that wait to be read. */
export const unreadBytes = () => unread

/** Reserves room for an answer; returns a function that gives it back. Throws 503 when it is full. */
function takeRoom(bytes: number): () => void {
  const client = currentBill()?.client
  const own = unreadOf.get(client) ?? 0
  // An answer larger than the limit is sent when no other one waits.
  const isFull = unread > 0 && unread + bytes > MAX_UNREAD_BYTES
  if (isFull || (own > 0 && own + bytes > MAX_UNREAD_BYTES_OF_CLIENT))
    throw new Failure('tooManyAnswers', { headers: { 'Retry-After': RETRY_AFTER_SECONDS } })
  unread += bytes
  unreadOf.set(client, own + bytes)
  let isTaken = true
  return () => {
    if (!isTaken) return
    isTaken = false
    unread -= bytes
    const left = (unreadOf.get(client) ?? 0) - bytes
    if (left > 0) unreadOf.set(client, left)
    else unreadOf.delete(client)
  }
}

/** Size and hash of a text in parts, of which 12 MB take 30 ms, so other work runs in between. */
export async function digestOf(parts: Iterable<string>): Promise<{ bytes: number; sha256: string }> {
  const hash = new Bun.CryptoHasher('sha256')
  let [bytes, pausedAt] = [0, 0]
  for (const part of parts) {
    const encoded = utf8.encode(part)
    hash.update(encoded)
    bytes += encoded.length
    if (bytes - pausedAt < SLICE_BYTES) continue
    pausedAt = bytes
    await pause(0)
  }
  return { bytes, sha256: hash.digest('base64url') }
}

/** A stream of these parts, produced as fast as the client reads. */
export function readAtItsPace(parts: Iterator<string>, bytes: number): ReadableStream<Uint8Array> {
  const giveBack = takeRoom(bytes)
  let callOff = () => {}
  let isOver = false
  function end() {
    isOver = true
    callOff()
    giveBack()
  }
  return new ReadableStream<Uint8Array>({
    start(controller) {
      callOff = after((bytes / MIN_BYTES_PER_SECOND) * 1000, () => {
        end()
        controller.error(new Error('the client reads too slowly'))
      })
    },
    async pull(controller) {
      // A client that reads as fast as this makes it would else keep all others waiting for the whole answer.
      await pause(0)
      if (isOver) return
      let chunk = ''
      while (chunk.length < CHUNK_BYTES) {
        const { done, value } = parts.next()
        if (done) {
          if (chunk !== '') controller.enqueue(utf8.encode(chunk))
          controller.close()
          return end()
        }
        chunk += value
      }
      controller.enqueue(utf8.encode(chunk))
    },
    cancel: end,
  })
}
