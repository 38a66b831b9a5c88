import { Failure } from '../errors'
import { after, currentBill } from '../waiting'

/** What all large answers together may hold until their clients have read them, and what those of one client may. */
const MAX_UNREAD_BYTES = 64 * 1_048_576
const MAX_UNREAD_BYTES_OF_CLIENT = MAX_UNREAD_BYTES / 2
/** A client may be slow, but not so slow. One that doesn't read at all is idle, and cut off sooner. */
const MIN_BYTES_PER_SECOND = 65_536
const CHUNK_BYTES = 65_536
const RETRY_AFTER_SECONDS = '5'

const utf8 = new TextEncoder()
const unreadOf = new Map<string | undefined, number>()
let unread = 0

/** How many bytes of large answers are held until they are read. */
export const unreadBytes = () => unread

/** Room for an answer of so many bytes, until the way to give it back is called; throws 503 when there is none. */
function takeRoom(bytes: number): () => void {
  const client = currentBill()?.client
  const own = unreadOf.get(client) ?? 0
  // One that is larger than all of it is alone.
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

/** A text of so many bytes, made of its parts only as fast as the client reads them. */
export function readAtItsPace(parts: Iterator<string>, bytes: number): ReadableStream<Uint8Array> {
  const giveBack = takeRoom(bytes)
  let callOff = () => {}
  function end() {
    callOff()
    giveBack()
  }
  return new ReadableStream<Uint8Array>({
    start(controller) {
      callOff = after((bytes / MIN_BYTES_PER_SECOND) * 1000, () => {
        giveBack()
        controller.error(new Error('the client reads too slowly'))
      })
    },
    pull(controller) {
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
