import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { attackedService, INSIDE, JSON_TYPE, MIB, TOO_LARGE } from '../support/bad-input'
import { openRaw } from '../support/raw'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, alice, send, unexpected } = attackedService()

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

  test('given twice has its last value', async () => {
    const body =
      '{"title":"First","title":"Second of two","year":1,"year":2001,"runtime":"1 mins","genres":["a"]}'
    const headers = { 'Content-Type': JSON_TYPE }
    const created = await server().request('POST', '/v1/movies', {
      token: alice().token,
      rawBody: body,
      headers,
    })
    expect(created.status).toBe(201)
    expect(created.body.movie).toMatchObject({ title: 'Second of two', year: 2001 })
  })

  test('too large for a number is refused on its field', async () => {
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
  const get = (path: string) => server().request('GET', path, { token: alice().token })

  const noIds =
    "%00 %ff % %zz %c0%af %ed%a0%80 ..%2f.. 1' 1%20 +1 01 1.0 1e1 0x1 -1 0 9223372036854775808 %D9%A1 １".split(
      ' ',
    )
  test.each([...noIds, 'x'.repeat(10_000)])('with the id %s is a 404', async (id) => {
    for (const path of [`/v1/movies/${id}`, `/v1/users/me/favourites/${id}`]) {
      const answer = await server().request(path.includes('favourites') ? 'PUT' : 'GET', path, {
        token: alice().token,
      })
      expect(answer).toMatchObject({
        status: 404,
        body: { error: 'the requested resource could not be found' },
      })
    }
  })

  test('with an unreadable name is a 404', async () => {
    for (const path of ['/v1/%00', '/v1/%ff', '/%', '/v1/movies%00', '/%ff/movies'])
      expect(await get(path)).toMatchObject({
        status: 404,
        body: { error: 'the requested resource could not be found' },
      })
  })

  test('of 15 kB is read, and a longer one does no harm', async () => {
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

describe('over a raw connection', () => {
  /** Sends the parts one after another; resolves with the response, or with the part before the connection ended. */
  async function talk(...parts: string[]): Promise<string> {
    const client = await openRaw(server().url)
    for (const part of parts) if (client.isOpen() && client.received() === '') await client.send(part)
    await client.answeredWholly
    client.close()
    return client.received()
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
    const answer = await talk(head('Transfer-Encoding: chunked'), ...pieces)
    // The server stops reading, so TCP may discard the response when more data arrives.
    if (answer === '' && length > 2 * MIB) return
    expect(answer).toStartWith('HTTP/1.1 413 ')
    expect(answer).toContain(TOO_LARGE)
  })

  test('a client without a token learns nothing about the limits on bodies', async () => {
    const asked = head(`Content-Length: ${MIB + 1}`).replace('/v1/users', '/v1/movies')
    expect(await talk(asked)).toStartWith('HTTP/1.1 401 ')
  })

  test('garbage and half a request do no harm', async () => {
    const nonsense = [
      '\0\0\0\0\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      'GET / HTTP/1.1\r\n\r\n',
    ]
    for (const text of nonsense) {
      const client = await openRaw(server().url)
      await client.send(text)
      client.end()
      await client.closed
      expect(client.received()).not.toMatch(INSIDE)
    }
    const half = connect(Number(server().url.port), '127.0.0.1', () =>
      half.end(`${head('Content-Length: 100')}{"a"`),
    )
    await new Promise((resolve) => half.on('close', resolve).resume())
    expect((await server().request('GET', '/v1/healthcheck')).status).toBe(200)
    expect(
      server()
        .logLines()
        .filter(({ level }) => level === 'error'),
    ).toEqual([])
  })
})

test('after all this, the log has no unexpected error', () => {
  expect(unexpected()).toEqual([])
})
