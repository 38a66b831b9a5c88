import { describe, expect, test } from 'bun:test'
import { createColours, wantsColours } from '../../src/terminal/colours'
import { createProgress } from '../../src/terminal/progress'

/** A terminal that remembers what was written to it, and a clock that the test moves. */
function terminalOf(columns: number, hasColours = false) {
  const written: string[] = []
  let milliseconds = 0
  const progress = createProgress(
    { write: (text) => written.push(text), columns: () => columns, colours: createColours(hasColours) },
    () => milliseconds,
  )
  const pass = (more: number) => {
    milliseconds += more
  }
  const lines = () => written.map((text) => text.replace('\r\x1b[K', ''))
  return { progress, pass, lines, written }
}

describe('a progress bar', () => {
  test('is silent while the work lasts under a second', () => {
    const { progress, pass, written } = terminalOf(80)
    const bar = progress('movies', 100)
    pass(999)
    bar.advance(99)
    bar.end()
    expect(written).toEqual([])
  })

  test('shows the share, the rate and the time left, and goes away', () => {
    const { progress, pass, lines } = terminalOf(80)
    const bar = progress('movies', 1000)
    pass(2000)
    bar.advance(500)
    expect(lines()).toEqual([`movies ${'█'.repeat(15)}${'░'.repeat(15)}  50%  500/1,000  250/s  2s left`])
    bar.end()
    bar.end()
    bar.advance(500)
    expect(lines().slice(1)).toEqual([''])
  })

  test('is drawn a few times a second at most', () => {
    const { progress, pass, written } = terminalOf(80)
    using bar = progress('movies', 100_000)
    for (let i = 0; i < 3000; i++) {
      pass(1)
      bar.advance()
    }
    expect(written).toHaveLength(11)
  })

  test('is never wider than the terminal', () => {
    for (const columns of [1, 10, 40, 50, 60, 80, 200]) {
      const { progress, pass, lines } = terminalOf(columns)
      const bar = progress('a label that says what it is about', 123_456_789)
      const counter = progress('a label that says what it is about')
      pass(5_000_000)
      for (const one of [bar, counter]) one.advance(100_000)
      expect(lines()).toHaveLength(2)
      for (const line of lines()) expect(line.length).toBeLessThan(Math.max(2, columns))
    }
  })

  test('without a total tells the count and the time, and learns the total on its way', () => {
    const { progress, pass, lines } = terminalOf(80)
    using bar = progress('rows')
    pass(3000)
    bar.advance(30)
    pass(3000)
    bar.reach(40, 80)
    expect(lines()).toEqual([
      'rows  30  10/s  3s',
      `rows ${'█'.repeat(15)}${'░'.repeat(15)}  50%  40/80  6.7/s  6s left`,
    ])
  })

  test('writes nothing where there is no terminal', () => {
    using bar = createProgress(undefined)('movies', 3)
    bar.advance()
    bar.end()
  })
})

describe('colours', () => {
  test('are for terminals, and for whom wants them', () => {
    const terminal = { isTTY: true }
    expect(wantsColours(terminal, { TERM: 'xterm' })).toBe(true)
    expect(wantsColours(terminal, { TERM: 'xterm', NO_COLOR: '' })).toBe(true)
    expect(wantsColours(terminal, { TERM: 'xterm', NO_COLOR: '1' })).toBe(false)
    expect(wantsColours(terminal, { TERM: 'dumb' })).toBe(false)
    expect(wantsColours({}, { TERM: 'xterm' })).toBe(false)
  })

  test('change nothing where they are not wanted', () => {
    expect(createColours(false).red('text')).toBe('text')
    expect(createColours(true).red('text')).toBe('\x1b[31mtext\x1b[39m')
  })
})
