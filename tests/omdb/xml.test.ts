import { expect, setDefaultTimeout, test } from 'bun:test'
import { DOMParser } from '@xmldom/xmldom'
import { omdbService } from '../support/omdb'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const odd = 'Odd & <Movie> "of" \'quotes\' 🎬 \u0001\u001f\u007f\uFFFE ]]> <!-- &amp; {é}\t\n\r.'
const { ask, add } = omdbService([
  [odd, { director: odd, synopsis: `${odd} x`, genres: ['a<b', "rock'n'roll"], cast: ['"A"', 'B & C'] }],
  ['Odd One', { year: 1999 }],
])

/** Parses a document with a real parser; returns its root and its text. */
function parsed(text: string) {
  const root = new DOMParser({
    onError(level, message) {
      // U+FFFD is suspected of a wrong encoding.
      if (level !== 'warning') throw new Error(`${level}: ${message}`)
    },
  }).parseFromString(text, 'text/xml').documentElement
  if (root === null) throw new Error('no root')
  return root
}
/** A text with what XML 1.0 has no place for (section 2.2) replaced. */
const readable = (text: string) =>
  [...text]
    .map((character) => {
      const point = character.codePointAt(0) ?? 0
      const isControl = point < 0x20 && !'\t\n\r'.includes(character)
      return isControl || point === 0xfffe || point === 0xffff ? '\uFFFD' : character
    })
    .join('')
const attributesOf = (element: ReturnType<typeof parsed>) =>
  [...element.attributes].map(({ name, value }): [string, string] => [name, value])

test('a movie has the same content in XML as in JSON, for any text', async () => {
  const json = (await ask({ t: 'odd movie', plot: 'full' })).body
  const { text, headers } = await ask({ t: 'odd movie', plot: 'full', r: 'xml' })
  expect(headers.get('content-type')).toBe('text/xml; charset=utf-8')
  expect(text).toStartWith('<root response="True"><movie title="')
  expect(text).toEndWith('/></root>')
  const root = parsed(text)
  const { Ratings, Response, ...said } = json
  expect([Ratings, Response]).toEqual([[], 'True'])
  const names = Object.keys(said).map((key) =>
    key === 'DVD' ? 'dvd' : key.replace(/^./, (c) => c.toLowerCase()),
  )
  expect(attributesOf(root.firstChild as typeof root)).toEqual(
    Object.values(said).map((value, place) => [names[place] ?? '', readable(String(value))]),
  )
  expect(names).toContain('imdbID')
  expect(root.childNodes.length).toBe(1)
})

test('a search and an error in XML', async () => {
  expect((await ask({ s: 'one', r: 'xml' })).text).toBe(
    '<root totalResults="1" response="True"><result title="Odd One" year="1999" imdbID="tt90000002" type="movie" poster="N/A"/></root>',
  )
  const root = parsed((await ask({ s: 'odd', r: 'xml' })).text)
  expect([root.getAttribute('totalResults'), root.childNodes.length]).toEqual(['2', 2])
  const { text, status, headers } = await ask({ t: 'nothing <such>', r: 'xml' })
  expect([status, text]).toEqual([200, '<root response="False"><error>Movie not found!</error></root>'])
  expect(headers.get('content-type')).toBe('text/xml; charset=utf-8')
  const refused = await ask({ apikey: 'wrong', r: 'xml' })
  expect([refused.status, refused.text]).toEqual([
    401,
    '<root response="False"><error>Invalid API key!</error></root>',
  ])
})

test('every character of a title is preserved or replaced', async () => {
  const points = [
    ...Array(0x180).keys(),
    0x2028,
    0xd7ff,
    0xe000,
    0xfffd,
    0xfffe,
    0xffff,
    0x10000,
    0x1fffe,
    0x10ffff,
  ]
  const all = String.fromCodePoint(...points.filter((point) => point !== 0))
  await add(`all of ${all.slice(0, 300)}.`)
  await add(`rest of ${all.slice(300)}.`)
  for (const t of ['all of', 'rest of']) {
    const [, title = ''] =
      attributesOf(parsed((await ask({ t, r: 'xml' })).text).firstChild as never)[0] ?? []
    const json = String((await ask({ t })).body.Title)
    expect(title).toBe(readable(json))
  }
})
