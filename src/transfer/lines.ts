/** A row that is longer is not kept. */
export const MAX_ROW_BYTES = 1_048_576

/** A line without its end, or a part of one that is too long to hold; `isEnd` for its last or only part. */
export type LinePart = { readonly bytes: Buffer; readonly isEnd: boolean }

const NOTHING = Buffer.alloc(0)

/** Splits a stream into lines, holding at most one row of it. */
export function createLineReader(lineEnd: number) {
  let waiting: Buffer[] = []
  let waitingBytes = 0

  function take(last: Buffer): Buffer {
    if (waitingBytes === 0) return last
    const line = Buffer.concat([...waiting, last])
    waiting = []
    waitingBytes = 0
    return line
  }

  return {
    *push(chunk: Buffer): Generator<LinePart> {
      let start = 0
      for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, start)) {
        yield { bytes: take(chunk.subarray(start, end)), isEnd: true }
        start = end + 1
      }
      if (start === chunk.length) return
      // A copy, because the chunk's memory may be reused, and is larger.
      waiting.push(Buffer.from(chunk.subarray(start)))
      waitingBytes += chunk.length - start
      if (waitingBytes > MAX_ROW_BYTES) yield { bytes: take(NOTHING), isEnd: false }
    },
    /** What follows the last line end, if anything. */
    *end(): Generator<LinePart> {
      if (waitingBytes > 0) yield { bytes: take(NOTHING), isEnd: true }
    },
  }
}
