import { describe, expect, test } from 'bun:test'
import { closest, didYouMean, quoted } from '../../src/rules/suggest'

const fields = ['title', 'year', 'runtime', 'genres', 'director', 'cast', 'release_date', 'page_size', 'sort']

describe('a suggestion', () => {
  test.each([
    ['genre', 'genres'],
    ['Genres', 'genres'],
    ['titel', 'title'],
    ['yaer', 'year'],
    ['pageSize', 'page_size'],
    ['page-size', 'page_size'],
    ['relase_dat', 'release_date'],
    ['release', 'release_date'],
    ['directors', 'director'],
  ])('for %p is %p', (word, meant) => {
    expect(closest(word, fields)).toBe(meant)
  })

  test.each(['rating', 'actors', 'x', '', 'id', '__proto__', 'constructor', 'a'.repeat(100_000)])(
    'does not exist for %p',
    (word) => {
      expect(closest(word, fields)).toBeUndefined()
      expect(didYouMean(word, fields)).toBe('')
    },
  )

  test('is the nearest word', () => {
    expect(closest('-yeat', ['id', '-id', 'year', '-year'])).toBe('-year')
  })
})

test('a text in a message is cut, and stays on one line', () => {
  expect(quoted('two\nlines\x1b[31m')).toBe('"two\\nlines\\u001b[31m"')
  expect(quoted('a'.repeat(1_000_000))).toBe(`"${'a'.repeat(60)}…"`)
})
