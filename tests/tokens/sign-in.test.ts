import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Claims, claimsOf, nowSeconds } from '../support/jwt'
import { PASSWORD, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
let generation: number
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ username: 'AliceA' })
  generation = Number(claimsOf(alice.token).gen)
})
afterAll(() => server.stop())

type TokenBody = { authentication_token: { token: string; expiry: string } }
const signIn = (body: unknown, headers: Record<string, string> = {}) =>
  server.request<TokenBody>('POST', '/v1/tokens/authentication', { body, headers })
const me = (authorization: string) =>
  server.request('GET', '/v1/users/me', { headers: { Authorization: authorization } })

describe('a sign-in', () => {
  test('takes the email or the username, in any case, and returns a JWT with these claims', async () => {
    const before = nowSeconds()
    const names = [
      { email: alice.email },
      { email: alice.email.toUpperCase() },
      { username: 'AliceA' },
      { username: 'aLICEa' },
    ]
    for (const name of names) {
      const { status, body } = await signIn({ ...name, password: PASSWORD })
      expect(status).toBe(201)
      const { token, expiry } = body.authentication_token
      expect(Object.keys(body.authentication_token)).toEqual(['token', 'expiry'])
      const [header = ''] = token.split('.')
      expect(JSON.parse(Buffer.from(header, 'base64url').toString()).alg).toBe('HS256')
      const claims = claimsOf(token)
      expect(Object.keys(claims).sort()).toEqual([
        'aud',
        'auth_time',
        'exp',
        'gen',
        'iat',
        'iss',
        'jti',
        'nbf',
        'sub',
      ])
      expect(claims).toMatchObject({
        sub: String(alice.id),
        iss: 'redlight',
        aud: 'redlight',
        gen: generation,
      })
      const issuedAt = Number(claims.iat)
      expect(issuedAt).toBeWithin(before, nowSeconds() + 1)
      expect(claims).toMatchObject({ nbf: issuedAt, exp: issuedAt + 3600 })
      expect(expiry).toBe(new Date((issuedAt + 3600) * 1000).toISOString().replace('.000', ''))
      expect((await me(`Bearer ${token}`)).status).toBe(200)
    }
  })

  test('returns a new token each time', async () => {
    const tokens = await Promise.all([server.signIn(alice.email), server.signIn(alice.email)])
    expect(new Set(tokens.map((token) => claimsOf(token).jti)).size).toBe(2)
  })

  const UNKNOWN = 'is not a known field'
  const rules: [string, Claims, Record<string, string>][] = [
    ['nothing', {}, { email: 'must be provided, unless username is', password: 'must be provided' }],
    ['no name', { password: PASSWORD }, { email: 'must be provided, unless username is' }],
    [
      'both names',
      { email: 'a@example.com', username: 'alice', password: PASSWORD },
      { username: 'must not be given together with email' },
    ],
    ['no password', { email: 'a@example.com' }, { password: 'must be provided' }],
    ['an empty password', { username: 'alice', password: '' }, { password: 'must not be empty' }],
    [
      'a password of 129',
      { username: 'alice', password: 'x'.repeat(129) },
      { password: 'must not be more than 128 characters long' },
    ],
    ['a number as password', { username: 'alice', password: 1 }, { password: 'must be a string' }],
    ['a list as email', { email: ['a@example.com'], password: PASSWORD }, { email: 'must be a string' }],
    ['NUL', { email: 'a\0', password: 'b\0' }, nulIn('email', 'password')],
    ['an unknown key', { username: 'alice', password: PASSWORD, remember: 1 }, { remember: UNKNOWN }],
  ]
  test.each(rules)('with %s is refused, field by field', async (_, body, error) => {
    const answer = await signIn(body)
    expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status: 422, body: { error } })
  })

  test('says the same for a wrong password and for an unknown user', async () => {
    const wrong = [
      { email: alice.email, password: 'wrong' },
      { email: alice.email, password: `${PASSWORD} ` },
      { email: alice.email, password: PASSWORD.toUpperCase() },
      { username: 'AliceA', password: 'wrong' },
      { email: 'nobody@example.com', password: PASSWORD },
      { username: 'nobody', password: PASSWORD },
      // A username isn't an email address, and the built-in account has no password.
      { email: 'AliceA', password: PASSWORD },
      { username: alice.email, password: PASSWORD },
      { username: 'Redlight', password: PASSWORD },
    ]
    for (const body of wrong) {
      const answer = await signIn(body)
      expect(answer.status).toBe(401)
      expect(answer.text).toBe('{"error":"invalid authentication credentials"}')
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  test('works with a bad token, and for an unactivated user, who gets 403 elsewhere', async () => {
    const bob = await server.newUser({ activated: false })
    expect(
      (await signIn({ email: bob.email, password: PASSWORD }, { Authorization: 'Bearer x' })).status,
    ).toBe(201)
    for (const path of ['/v1/users/me', '/v1/movies', '/v1/movies/1', '/v1/users/me/favourites']) {
      const answer = await server.request('GET', path, { token: bob.token })
      expect(answer.status).toBe(403)
      expect(answer.body.error).toBe('your user account must be activated to access this resource')
    }
    expect((await server.request('DELETE', '/v1/tokens/authentication', { token: bob.token })).status).toBe(
      200,
    )
  })
})

function nulIn(...fields: string[]): Record<string, string> {
  return Object.fromEntries(fields.map((field) => [field, 'must not contain a NUL character']))
}
