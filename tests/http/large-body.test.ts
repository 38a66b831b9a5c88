import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createRandom } from '../../bench/random'
import { shortened } from '../../src/json/outline'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

setDefaultTimeout(240_000)

const LARGE = 'x'.repeat(70_000)

describe('a large body', () => {
  let server: TestServer
  let alice: TestUser
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser()
  })
  afterAll(() => server.stop())
  const post = (rawBody: string) =>
    server.request<{ error: Record<string, string> }>('POST', '/v1/movies', {
      token: alice.token,
      headers: { 'Content-Type': 'application/json' },
      rawBody,
    })

  test('gets an error for each known field, and for a few of 90,000 others', async () => {
    const unknown = Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`)
    const known = '"title":"","\\u0079ear":"2001"'
    const { status, body } = await post(`{${unknown.join()},${known}}`)
    expect(status).toBe(422)
    const { title, year, runtime, genres, ...others } = body.error
    expect({ title, year, runtime, genres }).toEqual({
      title: 'must not be empty',
      year: 'must be an integer',
      runtime: 'must be provided',
      genres: 'must be provided',
    })
    expect(Object.keys(others)).toEqual(Array.from({ length: 20 }, (_, i) => `k${i}`))
  })

  test('gets an error for the wrong entry, whatever it contains', async () => {
    const nested = '['.repeat(25) + ']'.repeat(25)
    const body = (cast: string) => JSON.stringify(aMovie('Large', { cast: [] })).replace('[]}', `${cast}}`)
    const deep = Array(1500).fill(nested).join()
    const answers = [
      await post(body(`["A","B",[${deep}]]`)),
      await post(body(`["A",${deep}]`)),
      await post(body(`{"a":[${deep}]}`)),
    ]
    expect(answers.map(({ body }) => body.error.cast)).toEqual([
      'entry 3 must be a string',
      'must not contain more than 100 entries',
      'must be a list, such as ["one", "two"]',
    ])
  })

  test('is stored unchanged if it is valid', async () => {
    const cast = Array.from({ length: 100 }, (_, i) => `${'\u{1F3AC}'.repeat(190)} ${i}`)
    const sent = aMovie('Legal "and" \\ large', { cast, synopsis: '\u0001\n'.repeat(5000) })
    const answer = await server.request('POST', '/v1/movies', { token: alice.token, body: sent })
    expect(answer.status).toBe(201)
    expect(answer.body.movie).toMatchObject(sent)
  })

  test.each([
    ['a list', `["${LARGE}"]`, 'body must be a JSON object'],
    ['a text', `"${LARGE}"`, 'body must be a JSON object'],
    ['white space', ' '.repeat(70_000), 'body contains badly-formed JSON (at character 70001)'],
    ['cut short', `{"a":"${LARGE}"`, 'body contains badly-formed JSON (at character 70008)'],
    ['followed by more', `{"a":"${LARGE}"} {}`, 'body contains badly-formed JSON (at character 70010)'],
    ['wrong far behind', `{"a":"${LARGE}","b":[1,]}`, 'body contains badly-formed JSON (at character 70016)'],
    ['too deep', `{"a":"${LARGE}","b":${'['.repeat(32)}`, 'body must not be nested deeper than 32 levels'],
  ])('that is %s is refused', async (_, text, error) => {
    const answer = await post(text)
    expect([answer.status, answer.text]).toEqual([400, JSON.stringify({ error })])
  })
})

describe('what is shortened', () => {
  const random = createRandom(7)
  const pick = () => random.integer(0, 6)
  function value(depth: number): unknown {
    const kind = depth > 4 ? pick() % 4 : pick()
    if (kind > 4)
      return Object.fromEntries([0, 1, 2].slice(pick() % 4).map((i) => [`k"${i}`, value(depth + 1)]))
    if (kind === 4) return [0, 1, 2].slice(pick() % 4).map(() => value(depth + 1))
    return [random.integer(-9, 9) / 4, 's"\\\n\u00e9', true, null][kind]
  }
  /** By another way: what is deeper than an entry is empty. */
  const cut = (part: unknown, depth = 1): unknown => {
    if (typeof part !== 'object' || part === null) return part
    const entries = depth > 2 ? [] : Object.entries(part).map(([key, each]) => [key, cut(each, depth + 1)])
    return Array.isArray(part) ? entries.map(([, each]) => each) : Object.fromEntries(entries)
  }

  test('is the object up to the entries of its values, and broken where it was broken', async () => {
    for (let i = 0; i < 3000; i++) {
      const whole = { a: value(2), b: value(2), c: value(2) }
      const text = JSON.stringify(whole, null, i % 3)
      expect(JSON.parse(await shortened(text, {}, 32))).toEqual(cut(whole))
      const at = random.integer(0, text.length - 1)
      const broken = text.slice(0, at) + ['', '}', ',', ':', '"', '0', '\\'][i % 7] + text.slice(at + (i % 2))
      const isJson = await Promise.try(() => JSON.parse(broken)).then(
        () => true,
        () => false,
      )
      const isTaken = await shortened(broken, {}, 32).then(
        () => true,
        () => false,
      )
      expect({ broken, isTaken }).toEqual({ broken, isTaken: isJson })
    }
  })
})
