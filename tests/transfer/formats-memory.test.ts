import { expect, setDefaultTimeout, test } from 'bun:test'
import { withFaults } from '../support/faults'
import { readWatched } from '../support/watched-reading'

// Gigabytes are read, each in a process of its own.
setDefaultTimeout(300_000)

const MIB = 1_048_576
const GIB = 1024 * MIB
const MAX_GROWTH = 100 * MIB
const letters = ['x', MIB] as const
const heat = '{"title":"Heat"}'

test.skipIf(!withFaults)('a line of 1 GiB is one rejected row, and is never held', async () => {
  for (const [start, end] of [
    ['title,year\n', ',1\nHeat,\n'],
    ['title,year\n"', '",1\nHeat,\n'],
    [`${heat}\n{"title":"`, `"}\n`],
  ] as const) {
    const { found, growth } = await readWatched({ start, piece: letters, bytes: GIB, end })
    expect(found).toEqual({ '["row: too long"]': 1, [heat]: 1 })
    expect(growth).toBeLessThan(MAX_GROWTH)
  }
})

test.skipIf(!withFaults)(
  'an element of 1 GiB, and a quote that is never closed, end the reading',
  async () => {
    const start = `[${heat},{"title":"`
    const element = await readWatched({ start, piece: letters, bytes: GIB, end: '"}]' })
    expect(element.failure).toContain('the JSON has a value of more than 1 MiB at line 1, in element 2')
    const quote = await readWatched({
      start: 'title,year\nHeat,\n"',
      piece: ['x,1\n', MIB / 4],
      bytes: 4 * MIB,
      end: '',
    })
    expect(quote.failure).toContain('the quote that opens in the row at line 3 is never closed')
    for (const { found, growth } of [element, quote]) {
      expect(found).toEqual({ [heat]: 1 })
      expect(growth).toBeLessThan(MAX_GROWTH)
    }
  },
)

test.skipIf(!withFaults)('gzip that grows a thousandfold, and many rows, pass through', async () => {
  const start = 'title,year\nHeat,\n'
  const bomb = await readWatched({
    start,
    piece: letters,
    bytes: GIB / 8,
    end: '\nHeat,\n',
    isZipped: true,
  })
  expect(bomb.found).toEqual({ '["row: too long"]': 1, [heat]: 2 })
  const many = await readWatched({
    start: 'title,year\n',
    piece: ['Heat,\n', 10_000],
    bytes: 3 * MIB,
    end: '',
  })
  expect(many.found).toEqual({ [heat]: 530_000 })
  for (const { growth } of [bomb, many]) expect(growth).toBeLessThan(MAX_GROWTH)
})
