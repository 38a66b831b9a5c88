import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { PASSWORD } from '../support/server'
import { untilHashed } from '../support/until'
import { COMMON, newAddress, TOO_SHORT, type UserBody, userService } from '../support/users'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, register, activate, resetPassword, signIn, mailedTokens, plantToken, countTokens } =
  userService()

describe('a new user', () => {
  test('has the permissions of the configuration, once activated', async () => {
    const user = await server().newUser({ name: 'Carol', username: 'carol1' })
    const me = await server().request<UserBody>('GET', '/v1/users/me', { token: user.token })
    expect(me.status).toBe(200)
    expect(me.body.user).toMatchObject({
      id: user.id,
      email: user.email,
      username: 'carol1',
      activated: true,
    })
    expect(me.body.user.permissions).toEqual(['movies:read'])
    expect(Object.keys(me.body.user).slice(-2)).toEqual(['permissions', 'counts'])
    expect((await server().request('GET', '/v1/movies', { token: user.token })).status).toBe(200)
    expect((await server().request('POST', '/v1/movies', { token: user.token, body: {} })).status).toBe(403)
    const none = await server().newUser({ permissions: [] })
    const bare = await server().request<UserBody>('GET', '/v1/users/me', { token: none.token })
    expect(bare.body.user.permissions).toEqual([])
  })

  test('leaves no plain password or token in the database', async () => {
    const email = newAddress()
    const { body } = await register({ name: 'Dave', email, password: PASSWORD })
    const [token = ''] = await mailedTokens(email, /Activate/)
    const [stored] = await server().sql`select password_hash from users where id = ${body.user.id}`
    const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(stored?.password_hash) ?? []
    expect(Number(memory)).toBeGreaterThanOrEqual(19_456)
    expect(Number(passes)).toBeGreaterThanOrEqual(2)
    const hash = Buffer.from(new Bun.CryptoHasher('sha256').update(token).digest()).toString('hex')
    const hashes = await server()
      .sql`select encode(hash, 'hex') as hash from tokens where user_id = ${body.user.id}`
    expect([...hashes]).toEqual([{ hash }])
    const rows = await server().sql`
      select to_jsonb(users)::text || coalesce((select jsonb_agg(t)::text from tokens t), '') || coalesce((select jsonb_agg(m)::text from mails m), '') as everything
      from users where id = ${body.user.id}`
    expect(rows[0]?.everything).toContain(email)
    for (const secret of [PASSWORD, token]) expect(rows[0]?.everything).not.toContain(secret)
  })
})

describe('activation', () => {
  const wrong = { status: 422, body: { error: { token: 'invalid or expired activation token' } } }

  test('uses up the mailed token and all others of the user', async () => {
    const email = newAddress()
    const { body: registered } = await register({ name: 'Erin', email, password: PASSWORD })
    const { id } = registered.user
    await mailedTokens(email, /Activate/)
    await server().request('POST', '/v1/tokens/activation', { body: { email } })
    const [first = '', second = ''] = await mailedTokens(email, /Activate/, 2)
    const reset = await plantToken(id, 'password-reset')
    expect(await countTokens(id, 'activation')).toBe(2)

    const { status, body } = await activate(first)
    expect({ status, body: body as unknown }).toEqual({
      status: 200,
      body: { user: { ...registered.user, activated: true } },
    })
    expect(await activate(first)).toMatchObject(wrong)
    expect(await activate(second)).toMatchObject(wrong)
    expect(await countTokens(id, 'activation')).toBe(0)
    expect(await countTokens(id, 'password-reset')).toBe(1)
    expect((await resetPassword(reset, 'a new password')).status).toBe(200)
  })

  test('refuses a token that is wrong, expired or for another purpose', async () => {
    const user = await server().newUser({ activated: false })
    const expired = await plantToken(user.id, 'activation', '-1 second')
    const reset = await plantToken(user.id, 'password-reset')
    const good = await plantToken(user.id, 'activation')
    for (const token of [
      'A'.repeat(26),
      'x',
      expired,
      reset,
      good.toLowerCase(),
      `${good} `,
      `${good}A`,
      "' or 1=1 --",
    ])
      expect(await activate(token)).toMatchObject(wrong)
    const rules: [unknown, string][] = [
      [undefined, 'must be provided'],
      ['', 'must not be empty'],
      ['A'.repeat(129), 'must not be more than 128 characters long'],
      [7, 'must be a string'],
      ['A\0', 'must not contain a NUL character'],
    ]
    for (const [token, message] of rules) {
      const answer = await server().request('PUT', '/v1/users/activated', { body: { token } })
      expect(answer).toMatchObject({ status: 422, body: { error: { token: message } } })
    }
    expect((await server().request('GET', '/v1/users/me', { token: user.token })).status).toBe(403)
    expect((await activate(good)).status).toBe(200)
    expect((await server().request('GET', '/v1/users/me', { token: user.token })).status).toBe(200)
  })

  test('succeeds for exactly one of 20 simultaneous requests with one token', async () => {
    const user = await server().newUser({ activated: false })
    const token = await plantToken(user.id, 'activation')
    const answers = await Promise.all(Array.from({ length: 20 }, () => activate(token)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)])
  })
})

describe('a password reset', () => {
  const NEW_PASSWORD = 'another battery staple'

  test('uses up the mailed token, and ends older sign-ins and the old password', async () => {
    const user = await server().newUser({ name: 'Frank N. Furter', username: 'frankfurter' })
    await server().request('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
    await server().request('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
    const [token = '', second = ''] = await mailedTokens(user.email, /Reset/, 2)
    const refused: [string, string][] = [
      ['short', TOO_SHORT],
      ['password123', COMMON],
      ['frank n. FURTER', 'must not be the name'],
      ['FrankFurter', 'must not be the username'],
      [user.email.toUpperCase(), 'must not be the email'],
    ]
    for (const [password, message] of refused)
      expect(await resetPassword(token, password)).toMatchObject({
        status: 422,
        body: { error: { password: message } },
      })
    expect((await server().request('GET', '/v1/users/me', { token: user.token })).status).toBe(200)

    const answer = await resetPassword(token, NEW_PASSWORD)
    expect(answer).toMatchObject({ status: 200, body: { message: 'your password is successfully reset' } })
    expect((await server().request('GET', '/v1/users/me', { token: user.token })).status).toBe(401)
    expect((await signIn(user.email, user.password)).status).toBe(401)
    const fresh = await server().signIn(user.email, NEW_PASSWORD)
    expect((await server().request('GET', '/v1/users/me', { token: fresh })).status).toBe(200)
    for (const used of [token, second])
      expect(await resetPassword(used, NEW_PASSWORD)).toMatchObject({
        status: 422,
        body: { error: { token: 'invalid or expired password reset token' } },
      })
  })

  test('refuses a token that is wrong, expired or for another purpose, with all problems', async () => {
    const user = await server().newUser()
    const expired = await plantToken(user.id, 'password-reset', '-1 second')
    const activation = await plantToken(user.id, 'activation')
    for (const token of ['B'.repeat(26), expired, activation])
      expect(await resetPassword(token, NEW_PASSWORD)).toMatchObject({
        status: 422,
        body: { error: { token: 'invalid or expired password reset token' } },
      })
    const answer = await server().request('PUT', '/v1/users/password', {
      body: { password: 'short', email: user.email },
    })
    expect(answer.status).toBe(422)
    expect(answer.body as unknown).toEqual({
      error: {
        password: TOO_SHORT,
        token: 'must be provided',
        email: 'is not a known field',
      },
    })
    expect((await signIn(user.email, user.password)).status).toBe(201)
  })

  test('succeeds for exactly one of 20 simultaneous requests with one token', async () => {
    const user = await server().newUser()
    const token = await plantToken(user.id, 'password-reset')
    const passwords = Array.from({ length: 20 }, (_, i) => `racing password ${i}`)
    const answers = await Promise.all(
      passwords.map((password) => untilHashed(() => resetPassword(token, password))),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)])
    const winner = passwords[answers.findIndex(({ status }) => status === 200)] ?? ''
    expect((await signIn(user.email, winner)).status).toBe(201)
  })
})
