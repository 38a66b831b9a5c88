import { expect, test } from 'bun:test'
import { Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { openSource } from '../../src/transfer/open'
import { outcome } from '../support/reading'

const MIB = 1_048_576
const GIB = 1024 * MIB
const MAX_GROWTH = 100 * MIB
const options = { map: new Map<string, string>(), articles: 'keep', extraGenres: 'reject' } as const

/** A beginning, the same piece over and over up to a size, and an end. */
async function* stream(start: string, piece: Buffer, bytes: number, end: string): AsyncGenerator<Buffer> {
  yield Buffer.from(start)
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece
  yield Buffer.from(end)
}

/** Outcomes of the rows, and by how much memory has grown at most. */
async function readWatched(input: AsyncIterable<Uint8Array>) {
  Bun.gc(true)
  const before = process.memoryUsage.rss()
  let peak = before
  async function* watched() {
    for await (const chunk of input) {
      peak = Math.max(peak, process.memoryUsage.rss())
      yield chunk
    }
  }
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

const letters = Buffer.alloc(MIB, 'x')
const heat = '{"title":"Heat"}'

test('a line of 1 GiB is one rejected row, and is never held', async () => {
  for (const [start, end] of [
    ['title,year\n', ',1\nHeat,\n'],
    ['title,year\n"', '",1\nHeat,\n'],
    [`${heat}\n{"title":"`, `"}\n`],
  ] as const) {
    const { found, growth } = await readWatched(stream(start, letters, GIB, end))
    expect(found).toEqual({ '["row: too long"]': 1, [heat]: 1 })
    expect(growth).toBeLessThan(MAX_GROWTH)
  }
})

test('an element of 1 GiB, and a quote that is never closed, end the reading', async () => {
  const element = await readWatched(stream(`[${heat},{"title":"`, letters, GIB, '"}]'))
  expect(element.failure).toContain('the JSON has a value of more than 1 MiB at line 1, in element 2')
  const quote = await readWatched(
    stream('title,year\nHeat,\n"', Buffer.from('x,1\n'.repeat(MIB / 4)), 4 * MIB, ''),
  )
  expect(quote.failure).toContain('the quote that opens in the row at line 3 is never closed')
  for (const { found, growth } of [element, quote]) {
    expect(found).toEqual({ [heat]: 1 })
    expect(growth).toBeLessThan(MAX_GROWTH)
  }
})

test('gzip that grows a thousandfold, and many rows, pass through', async () => {
  const zip = createGzip({ level: 1 })
  const packed = Readable.from(stream('title,year\nHeat,\n', letters, GIB / 8, '\nHeat,\n')).pipe(zip)
  const bomb = await readWatched(packed)
  expect(bomb.found).toEqual({ '["row: too long"]': 1, [heat]: 2 })
  const rows = Buffer.from('Heat,\n'.repeat(10_000))
  const many = await readWatched(stream('title,year\n', rows, 3 * MIB, ''))
  expect(many.found).toEqual({ [heat]: 530_000 })
  for (const { growth } of [bomb, many]) expect(growth).toBeLessThan(MAX_GROWTH)
})
