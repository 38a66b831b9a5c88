import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { base64url, claimsOf, nowSeconds } from '../support/jwt'
import { JWT_SECRET, startTestServer, type TestServer } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const HOUR = 3600
let server: TestServer
/** How far the clock of tokens is moved, in seconds. */
let ahead = 0
beforeAll(async () => {
  const timing = { now: () => performance.now(), date: () => Date.now() + ahead * 1000 }
  const jwt = { secrets: [JWT_SECRET], ttlSeconds: 24 * HOUR, sessionTtlSeconds: 30 * HOUR }
  server = await startTestServer({ jwt }, { timing })
})
afterAll(() => server.stop())

type Renewed = { authentication_token: { token: string; expiry: string } }
const renew = (token: string) => server.request<Renewed>('POST', '/v1/tokens/renewal', { token })
const statusOf = async (token: string) => (await server.request('GET', '/v1/users/me', { token })).status

test('a token is renewed, until so long after the sign-in itself', async () => {
  ahead = 0
  const user = await server.newUser()
  const first = await server.signIn(user.email)
  const { auth_time: signedInAt, exp } = claimsOf(first)
  expect(Number(exp) - Number(signedInAt)).toBe(24 * HOUR)
  ahead = 20 * HOUR
  const renewed = await renew(first)
  expect(renewed.status).toBe(201)
  const { token, expiry } = renewed.body.authentication_token
  const claims = claimsOf(token)
  expect([claims.auth_time, claims.exp]).toEqual([signedInAt, Number(signedInAt) + 30 * HOUR])
  expect(Date.parse(expiry) / 1000).toBe(Number(claims.exp))
  expect(claims.jti).not.toBe(claimsOf(first).jti)
  expect([await statusOf(first), await statusOf(token)]).toEqual([200, 200])
  ahead = 25 * HOUR
  expect([await statusOf(first), (await renew(first)).status]).toEqual([401, 401])
  expect((await renew(token)).status).toBe(201)
  ahead = 31 * HOUR
  expect((await renew(token)).status).toBe(401)
  ahead = 0
})

test('one of an earlier version counts from when it was issued', async () => {
  const user = await server.newUser()
  const issued = (secondsAgo: number) => {
    const iat = nowSeconds() - secondsAgo
    const claims = { sub: String(user.id), iss: 'redlight', aud: 'redlight', jti: 'x', gen: 1 }
    const signed = `${base64url({ alg: 'HS256' })}.${base64url({ ...claims, iat, nbf: iat, exp: iat + 100 * HOUR })}`
    const signature = new Bun.CryptoHasher('sha256', JWT_SECRET).update(signed).digest('base64url')
    return `${signed}.${signature}`
  }
  const young = await renew(issued(10 * HOUR))
  expect(young.status).toBe(201)
  const { auth_time, exp } = claimsOf(young.body.authentication_token.token)
  expect(Number(exp) - Number(auth_time)).toBe(30 * HOUR)
  const old = issued(31 * HOUR)
  expect([await statusOf(old), (await renew(old)).status]).toEqual([200, 401])
})

test('one that is not activated is renewed too, and a key never', async () => {
  const user = await server.newUser({ activated: false })
  expect((await renew(user.token)).status).toBe(201)
  const owner = await server.newUser()
  const made = await server.request<{ key: { key: string } }>('POST', '/v1/keys', {
    token: owner.token,
    body: { name: 'TV' },
  })
  expect((await renew(made.body.key.key)).status).toBe(403)
})

test('renewed during a sign-out everywhere, it is dead', async () => {
  const user = await server.newUser()
  const stolen = await server.signIn(user.email)
  const renewals = Array.from({ length: 10 }, () => renew(stolen))
  const signOut = server.request('DELETE', '/v1/tokens/authentication', { token: user.token })
  const answers = await Promise.all([...renewals, ...Array.from({ length: 10 }, () => renew(stolen))])
  expect((await signOut).status).toBe(200)
  const tokens = answers
    .filter(({ status }) => status === 201)
    .map(({ body }) => body.authentication_token.token)
  expect(tokens.length).toBeGreaterThan(0)
  for (const token of tokens) expect([await statusOf(token), (await renew(token)).status]).toEqual([401, 401])
})
