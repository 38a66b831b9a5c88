import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DOMParser } from '@xmldom/xmldom'
import fc from 'fast-check'
import { testDatabaseUrl } from '../support/database'
import { newKey } from '../support/keys'
import { omdbService } from '../support/omdb'
import { openRaw } from '../support/raw'
import { startTestServer } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { ask, add, server, key } = omdbService([['Moana', { year: 2016 }]])
const NAUGHTY = join(import.meta.dir, '../../../shared/corpora/blns/blns.json')

afterAll(() => {
  expect(unexpected()).toEqual([])
})
const unexpected = () =>
  server()
    .logLines()
    .filter(({ level }) => level === 'error')

/** The response to any question: found or not, in the form of section 10, without quoting the question. */
async function expectSound(query: string) {
  const { status, text, headers } = await ask(query)
  expect([query, status]).toEqual([query, 200])
  const isXml = headers.get('content-type') === 'text/xml; charset=utf-8'
  if (isXml)
    new DOMParser({ onError: (level) => expect(level).toBe('warning') }).parseFromString(text, 'text/xml')
  else expect(['True', 'False']).toContain(JSON.parse(text).Response)
  return text
}

test('every text in every parameter gets a response', async () => {
  const naughty: string[] = existsSync(NAUGHTY) ? await Bun.file(NAUGHTY).json() : []
  if (naughty.length === 0) console.warn(`left out: there is no big list of naughty strings in ${NAUGHTY}`)
  const texts = [
    ...naughty,
    '\0',
    'a\0b',
    '\ufffd',
    "' or 1=1 --",
    '%',
    'a & !b | <-> c',
    ':*',
    '\\',
    'tt'.repeat(5000),
  ]
  for (const text of texts) {
    for (const name of ['i', 't', 's']) {
      const answer = await expectSound(String(new URLSearchParams({ [name]: text })))
      if (text.length > 30) expect(answer).not.toContain(text)
    }
    const all = { y: text, type: text, plot: text, page: text, r: text, callback: text, Season: text }
    // Bun refuses a longer line.
    if (encodeURIComponent(text).length > 2000) continue
    await expectSound(String(new URLSearchParams({ ...all, s: 'moana' })))
    await expectSound(String(new URLSearchParams({ ...all, t: 'moana', r: 'xml' })))
  }
}, 300_000)

test('every naughty title is found by itself', async () => {
  const naughty: string[] = existsSync(NAUGHTY) ? await Bun.file(NAUGHTY).json() : []
  for (const [index, text] of naughty.entries()) {
    const title = `Naughty${index}n ${text}`.trim()
    if (title.length > 500 || !title.isWellFormed() || title.includes('\0')) continue
    const id = await add(title)
    const { body } = await ask({ i: `tt${90_000_000 + id}` })
    expect(body.Title).toBe(title)
    expect((await ask({ t: `naughty${index}n` })).body.Title).toBe(title)
  }
}, 300_000)

test('requests that no client should send get a response too', async () => {
  const odd = [
    't=%',
    't=%zz%',
    't=%00',
    't=%ff%fe',
    't=%ed%a0%80',
    '%00=1&%ff=2&t=moana',
    's[]=moana&s[0]=x&i[a]=b',
    '&&&===&t',
    't=moana#x',
    `t=${'&t='.repeat(4000)}moana`,
    Array.from({ length: 1000 }, (_, n) => `p${n}=${n}`).join('&'),
    `${'x=1&'.repeat(1000)}t=moana`,
    `s=${'a+'.repeat(5000)}`,
    `t=${'%F0%9F%8E%AC'.repeat(1000)}`,
  ]
  for (const query of odd) await expectSound(query)
})

test('a query of 1 MB is refused by the server itself, and does no harm', async () => {
  const client = await openRaw(server().url)
  await client.send(
    `GET /omdb?apikey=${key()}&s=${'x'.repeat(1_048_576)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  )
  await client.answeredWholly
  client.close()
  expect(client.received()).toMatch(/^(HTTP\/1.1 4\d\d |$)/)
  expect((await ask('t=moana')).status).toBe(200)
})

test('random questions get valid responses', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom('moana', 'tt90000001', '1', 'xml'),
  )
  const names = ['i', 't', 's', 'y', 'type', 'plot', 'page', 'r', 'Season', 'T', 'S[]', '']
  const question = fc.dictionary(fc.constantFrom(...names), text)
  await fc.assert(
    fc.asyncProperty(question, async (parameters) => {
      await expectSound(String(new URLSearchParams(parameters)))
    }),
    { numRuns: 200 },
  )
})

test('an internal error has this form, without details', async () => {
  const fragile = await startTestServer()
  const made = await newKey(fragile, await fragile.newUser())
  const asked = (query: string) => fragile.request('GET', `/omdb?apikey=${made.key}&${query}`)
  expect((await asked('t=moana')).status).toBe(200)
  await fragile.sql`alter table movies rename to movies_away`
  for (const query of ['t=moana', 's=moana', 'i=tt90000001', 'i=tt0000001']) {
    const { status, text } = await asked(query)
    const error = 'the server encountered a problem and could not process your request'
    expect([query, status, text]).toEqual([query, 500, JSON.stringify({ Response: 'False', Error: error })])
  }
  expect(JSON.stringify(fragile.logLines())).not.toContain(made.key.slice(8))
  await fragile.stop()
})

// The embedded database ends a transaction that blocks its only session.
test.skipIf(testDatabaseUrl === undefined)(
  'a database that does not respond is a 503 in this form',
  async () => {
    await server().sql.begin(async (tx) => {
      await tx`lock table movies in access exclusive mode`
      const { status, body, headers } = await ask('t=what+nobody+has+asked+for')
      expect([status, Object.keys(body), headers.get('retry-after')]).toEqual([
        503,
        ['Response', 'Error'],
        '1',
      ])
    })
  },
)
