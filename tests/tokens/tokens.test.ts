import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { realTime } from '../../src/server/compose'
import { createFilledDatabase } from '../support/database'
import { base64url, type Claims, claimsOf } from '../support/jwt'
import { JWT_SECRET, PASSWORD, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
let generation: number
/** The service's clock for tokens, which only tests move. */
const clock = { ms: Date.now() }
const nowSeconds = () => Math.floor(clock.ms / 1000)
beforeAll(async () => {
  const timing = { ...realTime, date: () => clock.ms }
  server = await startTestServer({}, { timing })
  alice = await server.newUser({ username: 'AliceA' })
  generation = Number(claimsOf(alice.token).gen)
})
afterAll(() => server.stop())

const me = (authorization: string) =>
  server.request('GET', '/v1/users/me', { headers: { Authorization: authorization } })

type Forgery = {
  claims?: Claims
  header?: Claims
  secret?: string
  hash?: 'sha256' | 'sha384' | 'sha512'
}
/** A token like the service's, with the given changes; undefined removes a claim. */
function forge({ claims = {}, header = {}, secret = JWT_SECRET, hash = 'sha256' }: Forgery = {}): string {
  const now = nowSeconds()
  const payload = {
    sub: String(alice.id),
    iss: 'redlight',
    aud: 'redlight',
    jti: crypto.randomUUID(),
    gen: generation,
    iat: now,
    nbf: now,
    exp: now + 600,
    ...claims,
  }
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT', ...header })}.${base64url(payload)}`
  return `${signed}.${new Bun.CryptoHasher(hash, secret).update(signed).digest('base64url')}`
}

/** The response to a request that fetch can't send. */
function raw(request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let answer = ''
  const socket = connect(Number(server.url.port), '127.0.0.1', () => socket.write(request))
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('close', () => resolve(answer)).on('error', reject)
  return promise
}

describe('a token is refused', () => {
  const now = nowSeconds()
  const withoutSignature = (alg: string) =>
    `${base64url({ alg, typ: 'JWT' })}.${base64url({ ...claimsOf(alice.token) })}.`
  const swapped = (claims: Claims) => {
    const [header, , signature] = alice.token.split('.')
    return `${header}.${base64url({ ...claimsOf(alice.token), ...claims })}.${signature}`
  }
  const ownKey = { kty: 'oct', k: Buffer.from('attacker').toString('base64url') }
  const refused: [string, () => string][] = [
    ['with algorithm none', () => withoutSignature('none')],
    ['with algorithm None and a signature', () => forge({ header: { alg: 'None' } })],
    ['signed with HS384', () => forge({ header: { alg: 'HS384' }, hash: 'sha384' })],
    ['signed with HS512', () => forge({ header: { alg: 'HS512' }, hash: 'sha512' })],
    ['that says RS256', () => forge({ header: { alg: 'RS256' } })],
    ['that says hs256', () => forge({ header: { alg: 'hs256' } })],
    ['that brings its own key', () => forge({ header: { jwk: ownKey }, secret: 'attacker' })],
    [
      'that names the place of its key',
      () => forge({ header: { jku: 'http://127.0.0.1/k' }, secret: 'attacker' }),
    ],
    ['that names a certificate', () => forge({ header: { x5u: 'http://127.0.0.1/c' }, secret: 'attacker' })],
    ['that names a file as its key', () => forge({ header: { kid: '../../dev/null' }, secret: '' })],
    ['that asks for what nobody knows', () => forge({ header: { crit: ['exp2'], exp2: 1 } })],
    ['that asks for no encoding', () => forge({ header: { crit: ['b64'], b64: false } })],
    ['signed with another secret', () => forge({ secret: `${JWT_SECRET}x` })],
    ['signed with the empty secret', () => forge({ secret: '' })],
    ['with another payload', () => swapped({ sub: '2', jti: 'other' })],
    ['with a longer life', () => swapped({ exp: now + 1e6 })],
    ['without its signature', () => alice.token.split('.').slice(0, 2).join('.')],
    ['with an empty signature', () => alice.token.replace(/[^.]*$/, '')],
    ['of another issuer', () => forge({ claims: { iss: 'greenlight' } })],
    ['without an issuer', () => forge({ claims: { iss: undefined } })],
    ['for another audience', () => forge({ claims: { aud: 'greenlight' } })],
    ['without an audience', () => forge({ claims: { aud: undefined } })],
    ['without an expiry', () => forge({ claims: { exp: undefined } })],
    ['with an expiry as text', () => forge({ claims: { exp: String(now + 600) } })],
    ['that expired 6 seconds ago', () => forge({ claims: { exp: nowSeconds() - 6 } })],
    ['that is valid in 10 seconds', () => forge({ claims: { nbf: nowSeconds() + 10 } })],
    ['without a subject', () => forge({ claims: { sub: undefined } })],
    ['with a number as subject', () => forge({ claims: { sub: alice.id } })],
    ['with a word as subject', () => forge({ claims: { sub: 'alice' } })],
    ...['0x2', '2.0', '2e0', '+2', ' 2', '2 ', '02', '', ' ', '0', '-2', '２', '9007199254740993'].map(
      (sub): [string, () => string] => [
        `whose subject is "${sub}"`,
        () => forge({ claims: { sub: sub.replace('2', String(alice.id)) } }),
      ],
    ),
    ['with a fraction in its expiry', () => forge({ claims: { exp: nowSeconds() + 600.5 } })],
    ['of nobody', () => forge({ claims: { sub: '999999' } })],
    ['of an earlier generation', () => forge({ claims: { gen: generation - 1 } })],
    ['of a later generation', () => forge({ claims: { gen: generation + 1 } })],
    ['without a generation', () => forge({ claims: { gen: undefined } })],
    ['with a generation as text', () => forge({ claims: { gen: String(generation) } })],
    ['without an id', () => forge({ claims: { jti: undefined } })],
    ['that is empty', () => ''],
    ['that is no JWT', () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
    ['of 10 kB', () => forge({ claims: { filler: 'x'.repeat(7500) } })],
  ]
  test.each(refused)('%s', async (_, token) => {
    const answer = await me(`Bearer ${token()}`)
    expect(answer.status).toBe(401)
    expect(answer.text).toBe('{"error":"invalid or missing authentication token"}')
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('of 100 kB, and the next request is served', async () => {
    const answer = await raw(
      `GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${'x'.repeat(100_000)}\r\n\r\n`,
    ).catch(() => 'refused')
    expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d |refused|$)/)
    expect((await me(`Bearer ${alice.token}`)).status).toBe(200)
  })

  const INVALID = 'invalid or missing authentication token'
  test('in a header of another kind', async () => {
    const { token } = alice
    const basic = Buffer.from(`${alice.email}:${PASSWORD}`).toString('base64')
    const headers = [
      `Bearer${token}`,
      `BearerX ${token}`,
      `Bearer\t${token}`,
      `Token ${token}`,
      token,
      `Basic ${basic}`,
      `Bearer ${token}, Bearer ${token}`,
      `Bearer ${token} ${token}`,
      `Bearer "${token}"`,
      'Bearer',
    ]
    for (const header of headers)
      expect(await me(header)).toMatchObject({ status: 401, body: { error: INVALID } })
  })

  test.each([
    ['a good and a bad one', (good: string) => [good, 'Bearer x']],
    ['a bad and a good one', (good: string) => ['Bearer x', good]],
    ['twice the same', (good: string) => [good, good]],
  ])('in several headers: %s', async (_, headersOf) => {
    const lines = headersOf(`Bearer ${alice.token}`).map((value) => `Authorization: ${value}\r\n`)
    const answer = await raw(
      `GET /v1/users/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.join('')}\r\n`,
    )
    expect(answer).toStartWith('HTTP/1.1 401 ')
    expect(answer).toContain(INVALID)
  })

  test('anywhere except in the header', async () => {
    const { token } = alice
    const MISSING = 'you must be authenticated to access this resource'
    for (const name of ['access_token', 'token', 'bearer', 'Bearer', 'authorization', '%00']) {
      const path = `/v1/users/me?${name}=${token}`
      expect(await server.request('GET', path)).toMatchObject({ status: 401, body: { error: MISSING } })
      for (const Authorization of ['Bearer bad', 'bearer bad', 'BEARER bad'])
        expect(await server.request('GET', path, { headers: { Authorization } })).toMatchObject({
          status: 401,
          body: { error: INVALID },
        })
    }
    const body = { access_token: token, token, Bearer: token, '\0': token }
    expect(await server.request('POST', '/v1/movies', { body })).toMatchObject({
      status: 401,
      body: { error: MISSING },
    })
    const elsewhere: Record<string, string>[] = [
      { Cookie: `token=${token}; Bearer=${token}` },
      { 'X-Access-Token': token },
    ]
    for (const headers of elsewhere)
      expect(await server.request('GET', '/v1/users/me', { headers })).toMatchObject({
        status: 401,
        body: { error: MISSING },
      })
    const form = await fetch(new URL('/v1/movies', server.url), {
      method: 'POST',
      body: new URLSearchParams({ access_token: token }),
    })
    expect(form.status).toBe(401)
  })
})

describe('a token is accepted', () => {
  test.each([
    ['as it was issued', () => `Bearer ${alice.token}`],
    ['with the scheme in lower case', () => `bearer ${alice.token}`],
    ['with the scheme in upper case', () => `BEARER   ${alice.token}`],
    ['made by the same rules', () => `Bearer ${forge()}`],
    ['that expired within the tolerance', () => `Bearer ${forge({ claims: { exp: nowSeconds() - 2 } })}`],
    [
      'that becomes valid within the tolerance',
      () => `Bearer ${forge({ claims: { nbf: nowSeconds() + 2 } })}`,
    ],
  ])('%s', async (_, authorization) => {
    expect((await me(authorization())).status).toBe(200)
  })

  test('until it expires, even if it has been cached', async () => {
    const token = forge({ claims: { exp: nowSeconds() + 3600 } })
    expect((await me(`Bearer ${token}`)).status).toBe(200)
    clock.ms += 3_600_000 + 6000
    expect((await me(`Bearer ${token}`)).status).toBe(401)
    clock.ms -= 3_600_000 + 6000
  })
})

test('secrets are rotated: the first signs, all verify, and a removed one is useless', async () => {
  const database = await createFilledDatabase()
  const [first, second] = [
    'the first secret, that is 32 bytes long',
    'the second secret, that is 32 bytes long',
  ]
  const start = (...secrets: string[]) =>
    startTestServer({ jwt: { secrets, ttlSeconds: 60, sessionTtlSeconds: 600 } }, { database })
  const statusOf = async (on: TestServer, token: string) =>
    (await on.request('GET', '/v1/users/me', { token })).status
  try {
    const before = await start(first)
    const user = await before.newUser()
    await before.stop()

    const during = await start(second, first)
    expect(await statusOf(during, user.token)).toBe(200)
    const newer = await during.signIn(user.email)
    expect(await statusOf(during, newer)).toBe(200)
    expect(Number(claimsOf(newer).exp) - Number(claimsOf(newer).iat)).toBe(60)
    await during.stop()

    const after = await start(second)
    expect(await statusOf(after, user.token)).toBe(401)
    expect(await statusOf(after, newer)).toBe(200)
    await after.stop()
  } finally {
    await database.drop()
  }
})
