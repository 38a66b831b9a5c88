import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(60_000)

const MIB = 1_048_576
const JSON_TYPE = 'application/json'
const CORPORA = join(import.meta.dir, '../../../shared/corpora')

let server: TestServer
let alice: TestUser
let movieId: number
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
  const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
    token: alice.token,
    body: aMovie('Mine'),
  })
  movieId = created.body.movie.id
})
afterAll(() => server.stop())

/** Every endpoint that takes a body, and what `{}` means to it. */
const endpoints: [method: string, path: string, ofEmptyObject: number][] = [
  ['POST', '/v1/movies', 422],
  ['PATCH', '/v1/movies/:id', 200],
  ['POST', '/v1/users', 422],
  ['PUT', '/v1/users/activated', 422],
  ['PUT', '/v1/users/password', 422],
  ['POST', '/v1/tokens/authentication', 422],
  ['POST', '/v1/tokens/activation', 422],
  ['POST', '/v1/tokens/password-reset', 422],
]

// Traces of what happens inside, which no answer may hold.
const INSIDE =
  /node_modules|\/src\/|\.ts:\d|\bat [\w.<>]+ \(|select |insert |PostgresError|RangeError|Elysia/i

type Sent = { type?: string; body: Bun.BodyInit; encoding?: string }
/** As alice, because a stranger's body is not looked at where a token is needed. */
async function send(method: string, path: string, { type = JSON_TYPE, body, encoding }: Sent) {
  const headers: Record<string, string> = { Authorization: `Bearer ${alice.token}` }
  if (type !== '') headers['Content-Type'] = type
  if (encoding !== undefined) headers['Content-Encoding'] = encoding
  const response = await fetch(new URL(path.replace(':id', String(movieId)), server.url), {
    method,
    headers,
    body,
  })
  const text = await response.text()
  expect(text).not.toMatch(INSIDE)
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
  const { error } = JSON.parse(text) as { error: unknown }
  return { status: response.status, error }
}
const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : new Uint8Array(part)))),
  )
const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
const padded = (size: number) => '{}'.padEnd(size, ' ')
/** Without a length, so that it is sent in chunks. */
const chunked = (body: string) =>
  new ReadableStream({
    start(controller) {
      for (let i = 0; i < body.length; i += 100_000)
        controller.enqueue(Buffer.from(body.slice(i, i + 100_000)))
      controller.close()
    },
  })

const WRONG_TYPE = 'the body must be JSON, sent with the header Content-Type: application/json'
const COMPRESSED = 'the body must not be compressed: send it without the header Content-Encoding'
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]
const EMPTY = 'body must not be empty'
const NOT_AN_OBJECT = 'body must be a JSON object'
const NOT_UTF8 = 'body must be encoded in UTF-8'
const TOO_DEEP = 'body must not be nested deeper than 32 levels'
const TOO_LARGE = 'body must not be larger than 1048576 bytes'
const badAt = (position: number) => `body contains badly-formed JSON (at character ${position})`

const notJson = (
  '|text/plain|text/json|application/x-www-form-urlencoded|multipart/form-data; boundary=x|application/jsonp|json|*/*|' +
  'application/json+xml|application/json, text/plain|application/json; charset=utf-16|' +
  'application/json; charset=iso-8859-1|application/json; charset=|application/json; charset=utf-88|' +
  'application/json; charset=utf-8; charset=latin1|text/html; application/json'
).split('|')
const refused: [string, () => Sent, number, string][] = [
  ...notJson.map((type): [string, () => Sent, number, string] => [
    `the content type "${type}"`,
    () => ({ type, body: bytes('{}') }),
    415,
    WRONG_TYPE,
  ]),
  ['another content type and nothing else', () => ({ type: 'text/plain', body: '' }), 415, WRONG_TYPE],
  ['nothing', () => ({ body: '' }), 400, EMPTY],
  ['white space', () => ({ body: ' \n' }), 400, badAt(3)],
  ['a word', () => ({ body: 'hello' }), 400, badAt(1)],
  ['an end too early', () => ({ body: '{"a":1' }), 400, badAt(7)],
  ['a missing value', () => ({ body: '{"title": , "year": 1}' }), 400, badAt(11)],
  ['a comma too many', () => ({ body: '{"a":1,}' }), 400, badAt(8)],
  ['single quotes', () => ({ body: "{'a':1}" }), 400, badAt(2)],
  ['a comment', () => ({ body: '{"a":1} // one' }), 400, badAt(9)],
  ['NaN', () => ({ body: '{"a":NaN}' }), 400, badAt(6)],
  ['a control character', () => ({ body: '{"a":"\t"}' }), 400, badAt(6)],
  ['a second value', () => ({ body: '{"a":1}{"a":2}' }), 400, badAt(8)],
  ['a second value on its own line', () => ({ body: '{}\n{}' }), 400, badAt(4)],
  ['a NUL at the end', () => ({ body: '{}\0' }), 400, badAt(3)],
  ['nothing but a byte order mark', () => ({ body: bytes(BYTE_ORDER_MARK) }), 400, EMPTY],
  ['two byte order marks', () => ({ body: bytes(BYTE_ORDER_MARK, BYTE_ORDER_MARK, '{}') }), 400, badAt(1)],
  ['a mistake behind one', () => ({ body: bytes(BYTE_ORDER_MARK, '{,}') }), 400, badAt(2)],
  ...['[]', '[{}]', '"text"', '7', 'true', 'null'].map((body): [string, () => Sent, number, string] => [
    body,
    () => ({ body }),
    400,
    NOT_AN_OBJECT,
  ]),
  ['a byte that UTF-8 does not know', () => ({ body: bytes('{"a":"', [0xff], '"}') }), 400, NOT_UTF8],
  ['a character cut off', () => ({ body: bytes('{"a":"', [0xe2, 0x82], '"}') }), 400, NOT_UTF8],
  ['an overlong slash', () => ({ body: bytes('{"a":"', [0xc0, 0xaf], '"}') }), 400, NOT_UTF8],
  ['a surrogate in UTF-8', () => ({ body: bytes('{"a":"', [0xed, 0xa0, 0x80], '"}') }), 400, NOT_UTF8],
  ['UTF-16 with its mark', () => ({ body: bytes([0xff, 0xfe], [0x7b, 0, 0x7d, 0]) }), 400, NOT_UTF8],
  ...['gzip', 'br', 'identity, gzip', 'GZIP', 'identityx', 'utf-8'].map(
    (encoding): [string, () => Sent, number, string] => [
      `the encoding ${encoding}`,
      () => ({ body: Bun.gzipSync('{}'), encoding }),
      415,
      COMPRESSED,
    ],
  ),
  ['33 levels', () => ({ body: nested(33) }), 400, TOO_DEEP],
  ['100,000 arrays', () => ({ body: '['.repeat(100_000) }), 400, TOO_DEEP],
  ['100,000 objects', () => ({ body: '{"a":'.repeat(100_000) }), 400, TOO_DEEP],
  [
    '100,000 arrays behind a string that does not end',
    () => ({ body: `["\n${'['.repeat(100_000)}` }),
    400,
    badAt(2),
  ],
  [
    '100,000 arrays behind 100,000 ends',
    () => ({ body: `${']'.repeat(100_000)}${'['.repeat(100_000)}` }),
    400,
    badAt(1),
  ],
  ['a million commas', () => ({ body: `[${','.repeat(1_000_000)}` }), 400, badAt(2)],
  ['a string of 1 MiB that does not end', () => ({ body: `{"a":"${'\\'.repeat(MIB - 10)}` }), 400, badAt(6)],
  ['1 MiB and a byte', () => ({ body: padded(MIB + 1) }), 413, TOO_LARGE],
  ['1 MiB and a byte in chunks', () => ({ body: chunked(padded(MIB + 1)) }), 413, TOO_LARGE],
  ['3 MiB in chunks', () => ({ body: chunked(padded(3 * MIB)) }), 413, TOO_LARGE],
]

const readable: [string, () => Sent][] = [
  ...['utf-8', 'UTF-8', '"UTF-8"', 'utf8', 'us-ascii', 'US-ASCII', '"ascii"', 'ANSI_X3.4-1968; x=y'].map(
    (charset): [string, () => Sent] => [
      `the charset ${charset}`,
      () => ({ type: `Application/JSON; Charset=${charset}`, body: '{}' }),
    ],
  ),
  ['an encoding that is none', () => ({ encoding: 'Identity, identity', body: '{}' })],
  ['a byte order mark', () => ({ body: bytes(BYTE_ORDER_MARK, '{}') })],
  ['a type of its own', () => ({ type: 'application/merge-patch+json', body: '{}' })],
  ['white space around it', () => ({ body: '\r\n\t {}\n ' })],
  ['1 MiB', () => ({ body: padded(MIB) })],
  ['1 MiB in chunks', () => ({ body: chunked(padded(MIB)) })],
]
const unknownKeys: [string, () => Sent, string[]][] = [
  ['32 levels', () => ({ body: nested(32) }), ['a']],
  ['brackets in a string', () => ({ body: `{"a":"\\"${'[{'.repeat(1000)}"}` }), ['a']],
  ['__proto__', () => ({ body: '{"__proto__":{"title":"x","token":"x","activated":true}}' }), ['__proto__']],
  ['constructor', () => ({ body: '{"constructor":{"prototype":{"isAdmin":true}}}' }), ['constructor']],
  ['names of methods', () => ({ body: '{"toString":1,"hasOwnProperty":1}' }), ['toString', 'hasOwnProperty']],
  ['an odd key', () => ({ body: '{"":1,"a/b":1,"~1":1,"\\u0000":1}' }), ['', 'a/b', '~1', '\0']],
  ['a key of 1 MiB', () => ({ body: `{"${'k'.repeat(MIB - 6)}":1}` }), ['k'.repeat(MIB - 6)]],
]

describe.each(endpoints)('%s %s', (method, path, ofEmptyObject) => {
  test.each(refused)('refuses %s', async (_, sent, status, error) => {
    expect(await send(method, path, sent())).toEqual({ status, error })
  })

  test.each(readable)('reads %s', async (_, sent) => {
    expect((await send(method, path, sent())).status).toBe(ofEmptyObject)
  })

  test.each(unknownKeys)('knows no field %s', async (_, sent, keys) => {
    const { status, error } = await send(method, path, sent())
    expect(status).toBe(422)
    for (const key of keys) expect(Object.entries(error ?? {})).toContainEqual([key, 'is not a known field'])
  })

  test('answers 80,000 unknown keys, and names 20', async () => {
    const body = `{${Array.from({ length: 80_000 }, (_, i) => `"k${i}":1`).join()}}`
    const { status, error } = await send(method, path, { body })
    expect(status).toBe(422)
    expect(Object.values(error ?? {}).filter((text) => text === 'is not a known field')).toHaveLength(20)
  })
})

describe('a value', () => {
  const fields: [string, string, string][] = [
    ['POST', '/v1/movies', 'title'],
    ['POST', '/v1/movies', 'runtime'],
    ['POST', '/v1/movies', 'release_date'],
    ['PATCH', '/v1/movies/:id', 'synopsis'],
    ['POST', '/v1/users', 'email'],
    ['POST', '/v1/users', 'password'],
    ['PUT', '/v1/users/activated', 'token'],
    ['POST', '/v1/tokens/authentication', 'password'],
    ['POST', '/v1/tokens/activation', 'email'],
  ]
  test.each(fields)('of 1 MiB, %s %s %s, is refused', async (method, path, key) => {
    for (const filler of ['x', 'a@', '0', ' ', 'é']) {
      const length = Math.floor((MIB - 100) / Buffer.byteLength(filler))
      const { status, error } = await send(method, path, {
        body: JSON.stringify({ [key]: filler.repeat(length) }),
      })
      expect(status).toBe(422)
      expect(Object.keys(error ?? {})).toContain(key)
      expect(JSON.stringify(error).length).toBeLessThan(1000)
    }
  })

  test('given twice counts as the last one', async () => {
    const body =
      '{"title":"First","title":"Second of two","year":1,"year":2001,"runtime":"1 mins","genres":["a"]}'
    const headers = { 'Content-Type': JSON_TYPE }
    const created = await server.request('POST', '/v1/movies', { token: alice.token, rawBody: body, headers })
    expect(created.status).toBe(201)
    expect(created.body.movie).toMatchObject({ title: 'Second of two', year: 2001 })
  })

  test('that no number can hold is refused on its field', async () => {
    for (const year of [
      '1e999',
      '-1e999',
      '2001.5',
      '1e-999',
      '99999999999999999999',
      '"2001"',
      'true',
      '{}',
    ]) {
      const { status, error } = await send('POST', '/v1/movies', {
        body: `{"title":"x","year":${year},"runtime":"1 mins","genres":["a"]}`,
      })
      expect([year, status, Object.keys(error ?? {})]).toEqual([year, 422, ['year']])
    }
  })
})

describe('a path or a query', () => {
  const get = (path: string) => server.request('GET', path, { token: alice.token })

  const noIds =
    "%00 %ff % %zz %c0%af %ed%a0%80 ..%2f.. 1' 1%20 +1 01 1.0 1e1 0x1 -1 0 9223372036854775808 %D9%A1 １".split(
      ' ',
    )
  test.each([...noIds, 'x'.repeat(10_000)])('with the id %s names nothing', async (id) => {
    for (const path of [`/v1/movies/${id}`, `/v1/users/me/favourites/${id}`]) {
      const answer = await server.request(path.includes('favourites') ? 'PUT' : 'GET', path, {
        token: alice.token,
      })
      expect(answer).toMatchObject({
        status: 404,
        body: { error: 'the requested resource could not be found' },
      })
    }
  })

  test('with an unreadable name is 404', async () => {
    for (const path of ['/v1/%00', '/v1/%ff', '/%', '/v1/movies%00', '/%ff/movies'])
      expect(await get(path)).toMatchObject({
        status: 404,
        body: { error: 'the requested resource could not be found' },
      })
  })

  test('of 15 kB is read, and what is longer does no harm', async () => {
    const long = await get(`/v1/movies?title=${'x'.repeat(15_000)}`)
    expect([200, 422]).toContain(long.status)
    const longer = await get(`/v1/movies?title=${'x'.repeat(30_000)}`).catch(() => undefined)
    expect([undefined, 414, 431]).toContain(longer?.status)
    expect((await get('/v1/movies')).status).toBe(200)
  })

  const queries =
    'title=%ff title=% title=%ed%a0%80 title=%00 page=%00 genres=%00,a director=%00 cast=%ff sort=%00 created_by=%00 %00=1 __proto__=1 =1 &&&= title[]=a constructor=x'
  test.each(queries.split(' '))('?%s is answered or refused', async (query) => {
    for (const path of ['/v1/movies', '/v1/users/me/favourites']) {
      const answer = await get(`${path}?${query}`)
      expect([200, 422]).toContain(answer.status)
      expect(answer.text).not.toMatch(INSIDE)
    }
  })
})

describe('over a bare connection', () => {
  /** Sends the parts one after the other, and resolves with all that comes back before the connection is closed. */
  function talk(...parts: string[]): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    let answer = ''
    const socket = connect(Number(server.url.port), '127.0.0.1', async () => {
      for (const part of parts) {
        if (socket.destroyed) break
        socket.write(part)
        await Bun.sleep(5)
      }
    })
    const finish = () => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', finish).on('error', finish).setTimeout(3000, finish)
    return promise
  }
  const head = (...headers: string[]) =>
    `${['POST /v1/users HTTP/1.1', 'Host: localhost', `Content-Type: ${JSON_TYPE}`, ...headers].join('\r\n')}\r\n\r\n`
  const piece = (size: number) => `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`

  test.each([MIB + 1, 4 * MIB + 1, 2 ** 30, 1e12])(
    'a length of %d is refused before the body is sent',
    async (length) => {
      const answer = await talk(head(`Content-Length: ${length}`))
      expect(answer).toStartWith('HTTP/1.1 413 ')
      expect(answer).toContain(TOO_LARGE)
    },
  )

  test.each([MIB + 1, 8 * MIB])('%d bytes in chunks are refused', async (length) => {
    const pieces = Array.from({ length: Math.ceil(length / 65_536) }, () => piece(65_536))
    const answer = await talk(head('Transfer-Encoding: chunked'), ...pieces, '0\r\n\r\n')
    expect(answer).toStartWith('HTTP/1.1 413 ')
    expect(answer).toContain(TOO_LARGE)
  })

  test('a stranger learns nothing of the limits where a token is needed', async () => {
    const asked = head(`Content-Length: ${MIB + 1}`).replace('/v1/users', '/v1/movies')
    expect(await talk(asked)).toStartWith('HTTP/1.1 401 ')
  })

  test('nonsense and half a request do no harm', async () => {
    const nonsense = [
      '\0\0\0\0\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      'GET / HTTP/1.1\r\n\r\n',
    ]
    for (const text of nonsense) expect(await talk(text)).not.toMatch(INSIDE)
    const half = connect(Number(server.url.port), '127.0.0.1', () =>
      half.end(`${head('Content-Length: 100')}{"a"`),
    )
    await new Promise((resolve) => half.on('close', resolve).resume())
    expect((await server.request('GET', '/v1/healthcheck')).status).toBe(200)
    expect(server.logLines().filter(({ level }) => level === 'error')).toEqual([])
  })
})

const filesOf = (folder: string) => {
  const path = join(CORPORA, folder)
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
}
const parsing = filesOf('jsontestsuite/test_parsing')
const strings = join(CORPORA, 'blns/blns.json')
if (parsing.length === 0 || !existsSync(strings))
  console.warn(
    `left out: there are no test corpora (JSONTestSuite, big list of naughty strings) in ${CORPORA}`,
  )

test.skipIf(parsing.length === 0)(
  'JSONTestSuite: what is no JSON is 400, what is JSON is understood',
  async () => {
    for (const file of [...parsing, ...filesOf('jsontestsuite/test_transform')]) {
      const name = file.split('/').at(-1) ?? ''
      const content = await Bun.file(file).bytes()
      const isObject = content[0] === 0x7b
      const answer = await send('POST', '/v1/tokens/activation', { body: content })
      if (name.startsWith('n_')) expect([name, answer.status]).toEqual([name, 400])
      else if (name.startsWith('y_')) {
        expect([name, answer.status]).toEqual([name, isObject ? 422 : 400])
        if (!isObject) expect([name, answer.error]).toEqual([name, NOT_AN_OBJECT])
      } else expect([name, answer.status < 500]).toEqual([name, true])
    }
  },
)

test.skipIf(!existsSync(strings))(
  'naughty strings are kept as they are or refused, and can be searched for',
  async () => {
    const naughty: string[] = await Bun.file(strings).json()
    let kept = 0
    for (const [index, text] of naughty.entries()) {
      const title = `${index} ${text}`.trim()
      const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
        token: alice.token,
        body: aMovie(title, { director: text === '' ? undefined : text }),
      })
      expect([text, created.status === 201 || created.status === 422]).toEqual([text, true])
      if (created.status === 201) {
        kept++
        const found = await server.request('GET', `/v1/movies/${created.body.movie.id}`, {
          token: alice.token,
        })
        expect(found.body.movie).toMatchObject({ title, ...(text === '' ? {} : { director: text }) })
      }
      for (const parameter of ['title', 'director', 'cast', 'genres']) {
        const query = new URLSearchParams({ [parameter]: text })
        const listed = await server.request('GET', `/v1/movies?${query}`, { token: alice.token })
        expect([text, parameter, listed.status === 200 || listed.status === 422]).toEqual([
          text,
          parameter,
          true,
        ])
      }
    }
    expect(kept).toBeGreaterThan(naughty.length / 2)
  },
)

test('after all this nothing unexpected is in the log', () => {
  expect(server.logLines().filter(({ level }) => level === 'error')).toEqual([])
})
