import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { openSource } from '../../src/transfer/open'
import { outcome } from './reading'

// Reads a long import in a process that does nothing else, so that its memory is that of the reading:
// `bun tests/support/watched-reading.ts INPUT`.

/** A beginning, the same piece over and over up to a size, and an end. */
export type Input = {
  readonly start: string
  readonly piece: readonly [text: string, times: number]
  readonly bytes: number
  readonly end: string
  readonly isZipped?: boolean
}
/** Outcomes of the rows, and by how much memory has grown at most. */
export type Watched = { found: Record<string, number>; failure: string; growth: number }

export async function readWatched(input: Input): Promise<Watched> {
  const child = Bun.spawn([process.execPath, import.meta.path, JSON.stringify(input)], { stderr: 'inherit' })
  return JSON.parse(await new Response(child.stdout).text())
}

async function* streamOf({ start, piece: [text, times], bytes, end }: Input): AsyncGenerator<Buffer> {
  const piece = Buffer.from(text.repeat(times))
  yield Buffer.from(start)
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece
  yield Buffer.from(end)
}

async function watch(input: AsyncIterable<Uint8Array>): Promise<Watched> {
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  let peak = before
  async function* watched() {
    for await (const chunk of input) {
      peak = Math.max(peak, process.memoryUsage.rss())
      yield chunk
    }
  }
  const options = { map: new Map<string, string>(), articles: 'keep', extraGenres: 'reject' } as const
  const source = await openSource('-', watched(), options)
  const found = new Map<string, number>()
  let failure = ''
  try {
    for await (const row of source.rows) {
      const key = JSON.stringify(outcome(row))
      found.set(key, (found.get(key) ?? 0) + 1)
    }
  } catch (error) {
    failure = String(error)
  }
  return { found: Object.fromEntries(found), failure, growth: peak - before }
}

if (import.meta.main) {
  const input: Input = JSON.parse(process.argv[2] ?? '')
  const stream = streamOf(input)
  console.log(
    JSON.stringify(
      await watch(input.isZipped ? Readable.from(stream).pipe(createGzip({ level: 1 })) : stream),
    ),
  )
}
