import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { attackedService, MIB, NOT_AN_OBJECT, type Sent, TOO_LARGE } from '../support/bad-input'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { send, unexpected } = attackedService()

/** Every endpoint that takes a body, and its response to `{}`. */
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

const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : new Uint8Array(part)))),
  )
const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
const padded = (size: number) => '{}'.padEnd(size, ' ')
/** Without a length, so it is sent in chunks. */
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
const NOT_UTF8 = 'body must be encoded in UTF-8'
const TOO_DEEP = 'body must not be nested deeper than 32 levels'
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
    '100,000 arrays after an unterminated string',
    () => ({ body: `["\n${'['.repeat(100_000)}` }),
    400,
    badAt(2),
  ],
  [
    '100,000 arrays after 100,000 closing brackets',
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

  test.each(unknownKeys)('refuses the unknown field %s', async (_, sent, keys) => {
    const { status, error } = await send(method, path, sent())
    expect(status).toBe(422)
    for (const key of keys) expect(Object.entries(error ?? {})).toContainEqual([key, 'is not a known field'])
  })

  test('refuses 80,000 unknown keys, and names 20', async () => {
    const body = `{${Array.from({ length: 80_000 }, (_, i) => `"k${i}":1`).join()}}`
    const { status, error } = await send(method, path, { body })
    expect(status).toBe(422)
    expect(Object.values(error ?? {}).filter((text) => text === 'is not a known field')).toHaveLength(20)
  })
})

test('after all this, the log has no unexpected error', () => {
  expect(unexpected()).toEqual([])
})
