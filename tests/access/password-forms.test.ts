import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { databaseVariables, redlight } from '../support/command-line'
import { startTestServer, type TestServer } from '../support/server'

// One password in the Unicode forms that keyboards send (NIST SP 800-63B section 3.1.1.2).

setDefaultTimeout(240_000)
const COMPOSED = 'Žluťoučký kůň'.normalize('NFC')
const DECOMPOSED = COMPOSED.normalize('NFD')
const TOO_SHORT = 'must be at least 8 characters long'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

let users = 0
const newEmail = () => `forms${++users}@example.com`
const register = (email: string, password: string, name = 'Forms') =>
  server.request('POST', '/v1/users', { body: { name, email, password } })
const signIn = (email: string, password: string) =>
  server.request('POST', '/v1/tokens/authentication', { body: { email, password } })
async function expectBothForms(email: string) {
  expect((await signIn(email, COMPOSED)).status).toBe(201)
  expect((await signIn(email, DECOMPOSED)).status).toBe(201)
  expect((await signIn(email, `${COMPOSED}x`)).status).toBe(401)
  expect((await signIn(email, `${DECOMPOSED}x`)).status).toBe(401)
}

describe('a password is the same in every Unicode form', () => {
  test.each([
    ['composed', COMPOSED],
    ['decomposed', DECOMPOSED],
  ])('when registered %s', async (_, password) => {
    const email = newEmail()
    expect((await register(email, password)).status).toBe(201)
    await expectBothForms(email)
  })

  test('after a reset', async () => {
    const user = await server.newUser()
    const text = 'A'.repeat(26)
    const hash = new Bun.CryptoHasher('sha256').update(text).digest()
    await server.sql`insert into tokens values (${hash}, ${user.id}, 'password-reset', now() + interval '1 minute')`
    const body = { token: text, password: DECOMPOSED }
    expect((await server.request('PUT', '/v1/users/password', { body })).status).toBe(200)
    await expectBothForms(user.email)
  })

  test('when the operator set it', async () => {
    const email = newEmail()
    const added = await redlight(
      ['users', 'add', '--email', email, '--name', 'Forms'],
      databaseVariables(server.database.config),
      `${DECOMPOSED}\n`,
    )
    expect(added).toMatchObject({ code: 0, error: '' })
    await expectBothForms(email)
  })

  test('and a hash by an earlier version, of the form as sent, still works', async () => {
    const email = newEmail()
    await register(email, 'another password')
    const hash = await Bun.password.hash(DECOMPOSED, {
      algorithm: 'argon2id',
      memoryCost: 19_456,
      timeCost: 2,
    })
    await server.sql`update users set password_hash = ${hash} where email = ${email}`
    expect((await signIn(email, DECOMPOSED)).status).toBe(201)
    expect((await signIn(email, `${DECOMPOSED}x`)).status).toBe(401)
  })
})

describe('the rules apply to the normalized password', () => {
  const accent = 'e\u0301'
  test.each([
    ['seven characters, sent as fourteen', accent.repeat(7), { password: TOO_SHORT }],
    ['eight characters, sent as sixteen', accent.repeat(8), undefined],
    ['128 characters, sent as 512', '\u1f82'.normalize('NFD').repeat(128), undefined],
    [
      '129 characters, sent as 258',
      accent.repeat(129),
      { password: 'must not be more than 128 characters long' },
    ],
    [
      '100 characters, hashed as 200',
      '\u0958'.repeat(100),
      { password: 'must not be more than 128 characters long' },
    ],
    ['the name in another form', DECOMPOSED.toUpperCase(), { password: 'must not be the name' }],
    ['half a character', `\ud800${'x'.repeat(10)}`, { password: 'must not contain a lone surrogate' }],
  ])('%s', async (_, password, error) => {
    const email = newEmail()
    const answer = await register(email, password, COMPOSED)
    expect([answer.status, answer.body.error]).toEqual(error === undefined ? [201, undefined] : [422, error])
    if (error === undefined) expect((await signIn(email, password)).status).toBe(201)
  })

  test('a sign-in accepts the lengths that an earlier version may have hashed, and no more', async () => {
    const email = newEmail()
    await register(email, 'another password')
    expect((await signIn(email, '\u0958'.repeat(128))).status).toBe(401)
    expect((await signIn(email, accent.repeat(128))).status).toBe(401)
    for (const password of [accent.repeat(129), 'x'.repeat(129), '\u0301'.repeat(100_000)])
      expect((await signIn(email, password)).status).toBe(422)
  })
})
