import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { PASSWORD, startTestServer, type TestServer } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(60_000)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ defaultPermissions: ['movies:read'] })
})
afterAll(() => server.stop())

type Fields = Record<string, unknown>
type UserBody = { user: Fields & { id: number } }
const newAddress = () => `${crypto.randomUUID()}@example.com`
const register = (fields: Fields) => server.request<UserBody>('POST', '/v1/users', { body: fields })
const activate = (token: string) => server.request('PUT', '/v1/users/activated', { body: { token } })
const resetPassword = (token: string, password: string) =>
  server.request('PUT', '/v1/users/password', { body: { token, password } })
const signIn = (email: string, password: string) =>
  server.request('POST', '/v1/tokens/authentication', { body: { email, password } })

/** The tokens of all mails with this subject to an address; waits until there are so many. */
async function mailedTokens(to: string, subject: RegExp, count = 1): Promise<string[]> {
  for (let tries = 0; tries < 200; tries++) {
    const tokens = server
      .logLines()
      .filter((line) => line.message === 'mail' && line.to === to && subject.test(String(line.subject)))
      .map((line) => /^[A-Z2-7]{26}$/m.exec(String(line.text))?.[0] ?? '')
    if (tokens.length >= count) return tokens
    await Bun.sleep(25)
  }
  throw new Error(`no ${count} mails ${subject} to ${to}`)
}

/** A token that was never mailed, straight into the database. */
async function plantToken(userId: number, scope: 'activation' | 'password-reset', lifetime = '1 hour') {
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(26)).map((byte) => 65 + (byte % 26)))
  const hash = new Bun.CryptoHasher('sha256').update(token).digest()
  await server.sql`insert into tokens (hash, user_id, scope, expires_at)
    values (${hash}, ${userId}, ${scope}, now() + ${lifetime}::interval)`
  return token.toString()
}
const countTokens = async (userId: number, scope: string) => {
  const [row] =
    await server.sql`select count(*)::int from tokens where user_id = ${userId} and scope = ${scope}`
  return row?.count
}

const LONGEST_DOMAIN = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
const tagged = () => crypto.randomUUID().replaceAll('-', '').padEnd(64, 'x')
const NOT_AN_ADDRESS = 'must be a valid email address like alice@example.com'
const NOT_A_USERNAME = 'must be 3 to 32 ASCII letters and digits, starting with a letter'
const COMMON = 'is one of the commonest passwords, please choose another'

const atMost = (count: number) => `must not be more than ${count} characters long`
const TOO_SHORT = 'must be at least 8 characters long'
const NUL = 'must not contain a NUL character'
const SURROGATE = 'must not contain a lone surrogate'
const UNKNOWN = 'is not a known field'
const NO_NAME = 'must be provided, unless username is'

const notAddresses = [
  'alice',
  '@example.com',
  'alice@',
  'alice@localhost',
  'a@b@example.com',
  'al ice@example.com',
  'alice@example.com ',
  'alice@example.com\n',
  'alice@example.com\r\nBcc: eve@example.com',
  'alice@exa\rmple.com',
  '"alice"@example.com',
  '<alice@example.com>',
  'Alice <alice@example.com>',
  'alice@example.com,eve@example.com',
  'alice@-example.com',
  'alice@example..com',
  'alice@[127.0.0.1]',
  'älice@example.com',
  `${'a'.repeat(65)}@example.com`,
]
const tooLong = `${'a'.repeat(65)}@${LONGEST_DOMAIN}`

describe('a registration is refused with a message on the field', () => {
  // What differs from a good one, and the whole answer; undefined takes a field away.
  const refused: [string, Fields, Record<string, string>][] = [
    ['no name and no username', { name: undefined }, { name: NO_NAME }],
    ['null for both names', { name: null, username: null }, { name: NO_NAME }],
    ['an empty name', { name: '' }, { name: 'must not be empty' }],
    ['an empty name beside a username', { name: '', username: 'bobby' }, { name: 'must not be empty' }],
    ['a blank name', { name: ' \t\u3000' }, { name: 'must not be blank' }],
    ['a name of 501', { name: 'x'.repeat(501) }, { name: atMost(500) }],
    ['a name of 501 emoji', { name: '🎬'.repeat(501) }, { name: atMost(500) }],
    ['a number as name', { name: 7 }, { name: 'must be a string' }],
    ['NUL in the name', { name: 'a\0b' }, { name: NUL }],
    ['a lone surrogate in the name', { name: 'a\ud800b' }, { name: SURROGATE }],
    ...['ab', 'a'.repeat(33), '', '1abc', 'a_bc', 'abcd\n', 'abc\0', 'zoë', ['bobby']].map(
      (username): [string, Fields, Record<string, string>] => [
        `the username ${JSON.stringify(username)}`,
        { username },
        { username: NOT_A_USERNAME },
      ],
    ),
    ...notAddresses.map((email): [string, Fields, Record<string, string>] => [
      `the email ${JSON.stringify(email)}`,
      { email },
      { email: NOT_AN_ADDRESS },
    ]),
    ['no email', { email: undefined }, { email: 'must be provided' }],
    ['null as email', { email: null }, { email: 'must be provided' }],
    ['an empty email', { email: '' }, { email: 'must not be empty' }],
    ['an email of 255 bytes', { email: tooLong }, { email: atMost(254) }],
    ['NUL in the email', { email: 'a\0@example.com' }, { email: NUL }],
    ['a lone surrogate in the email', { email: 'a\udfff@example.com' }, { email: SURROGATE }],
    ['no password', { password: undefined }, { password: 'must be provided' }],
    ['a number as password', { password: 12345678 }, { password: 'must be a string' }],
    ['a password of 7', { password: 'x7!kQ2z' }, { password: TOO_SHORT }],
    ['a password of 7 emoji', { password: '🎬'.repeat(7) }, { password: TOO_SHORT }],
    ['a password of 129', { password: 'x7'.repeat(64).concat('!') }, { password: atMost(128) }],
    ['NUL in the password', { password: 'correct\0horse' }, { password: NUL }],
    ['a lone surrogate in the password', { password: 'correct\udc00horse' }, { password: SURROGATE }],
    ['the name', { name: 'Bob Builder', password: 'bOB bUILDER' }, { password: 'must not be the name' }],
    ['the email', { email: 'b7@x.org', password: 'B7@x.ORG' }, { password: 'must not be the email' }],
    [
      'the username',
      { username: 'bobBob77', password: 'BOBbob77' },
      { password: 'must not be the username' },
    ],
    ['a common password', { password: 'password1' }, { password: COMMON }],
    ['a common password in another case', { password: 'iLoVeYoU1' }, { password: COMMON }],
    ['an unknown key', { admin: true }, { admin: UNKNOWN }],
    ['keys of the answer', { activated: true, id: 1 }, { activated: UNKNOWN, id: UNKNOWN }],
    [
      'every field at once',
      { name: '', username: 'a', email: 'nowhere', password: 'short', role: 'admin' },
      {
        name: 'must not be empty',
        username: NOT_A_USERNAME,
        email: NOT_AN_ADDRESS,
        password: TOO_SHORT,
        role: UNKNOWN,
      },
    ],
    [
      'nothing at all',
      { name: undefined, email: undefined, password: undefined },
      { name: NO_NAME, email: 'must be provided', password: 'must be provided' },
    ],
  ]
  test.each(refused)('%s', async (_, fields, error) => {
    const answer = await register({ name: 'Bob', email: newAddress(), password: PASSWORD, ...fields })
    expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status: 422, body: { error } })
  })

  test('no more than 20 unknown keys are told', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`key${i}`, i]))
    const answer = await server.request<{ error: Record<string, string> }>('POST', '/v1/users', {
      body: unknown,
    })
    expect(answer.status).toBe(422)
    expect(Object.values(answer.body.error).filter((text) => text === UNKNOWN)).toHaveLength(20)
    expect(Object.keys(answer.body.error)).toContain('email')
  })
})

describe('a registration is accepted', () => {
  const accepted: [string, () => Fields][] = [
    ['a name of 500 emoji', () => ({ name: '🎬'.repeat(500) })],
    ['a name with white space around it, kept', () => ({ name: '  Bob\t' })],
    ['a username of 3', () => ({ username: `a${crypto.randomUUID().slice(0, 2)}` })],
    ['a username of 32', () => ({ username: `A${crypto.randomUUID().replaceAll('-', '').slice(0, 31)}` })],
    ['null as username', () => ({ username: null })],
    ['an email of 254 bytes', () => ({ email: `${tagged()}@${LONGEST_DOMAIN}` })],
    ['an email with marks', () => ({ email: `o'neil+tag.x=y_${newAddress()}` })],
    ['a password of 8', () => ({ password: 'x7!kQ2z#' })],
    ['a password of 8 emoji', () => ({ password: '🎬'.repeat(8) })],
    ['a password of 128', () => ({ password: 'x7'.repeat(64) })],
    ['a password of 128 emoji', () => ({ password: '🎬'.repeat(128) })],
    ['a password with white space around it', () => ({ password: ' a secret\n' })],
  ]
  test.each(accepted)('%s', async (_, fields) => {
    const sent = { name: 'Bob', email: newAddress(), password: PASSWORD, ...fields() }
    const { status, body } = await register(sent)
    expect(status).toBe(201)
    const { name, email, username = null } = { username: undefined, ...sent }
    expect(body.user).toMatchObject({ name, email, ...(username === null ? {} : { username }) })
    expect((await signIn(sent.email, sent.password)).status).toBe(201)
    const shortened = [...sent.password].slice(0, -1).join('')
    for (const wrong of [sent.password.trim(), shortened])
      if (wrong !== sent.password) expect((await signIn(sent.email, wrong)).status).toBe(401)
  })

  test('and answered with the keys of the contract, in order', async () => {
    const email = newAddress()
    const plain = await register({ name: 'Bob', email, password: PASSWORD })
    expect(Object.keys(plain.body.user)).toEqual(['id', 'created_at', 'name', 'email', 'activated'])
    expect(plain.body.user).toMatchObject({ name: 'Bob', email, activated: false })
    expect(plain.body.user.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Math.abs(Date.parse(String(plain.body.user.created_at)) - Date.now())).toBeLessThan(60_000)
    expect(plain.text).not.toContain(PASSWORD)

    const named = await register({ username: 'Nameless1', email: newAddress(), password: PASSWORD })
    expect(Object.keys(named.body.user)).toEqual([
      'id',
      'created_at',
      'name',
      'email',
      'username',
      'activated',
    ])
    expect(named.body.user).toMatchObject({ name: 'Nameless1', username: 'Nameless1' })
  })

  test('but not twice with one email or username, in any case', async () => {
    const taken = { email: `Taken.${newAddress()}`, username: 'TakenName', name: 'Taken', password: PASSWORD }
    expect((await register(taken)).status).toBe(201)
    const other = { email: newAddress(), username: 'another1', name: 'Other', password: PASSWORD }
    const email = { email: 'a user with this email address already exists' }
    const username = { username: 'a user with this username already exists' }
    const cases: [Fields, unknown][] = [
      [{ email: taken.email }, { error: email }],
      [{ email: taken.email.toUpperCase() }, { error: email }],
      [{ username: 'tAKENnAME' }, { error: username }],
      // Once all rules hold, and not before.
      [{ email: taken.email, password: 'short' }, { error: { password: TOO_SHORT } }],
    ]
    for (const [fields, body] of cases) {
      const answer = await register({ ...other, ...fields })
      expect({ status: answer.status, body: answer.body as unknown }).toEqual({ status: 422, body })
    }
    const both = await register({ ...other, email: taken.email, username: taken.username })
    expect(both.status).toBe(422)
    expect([{ error: email }, { error: username }] as unknown[]).toContainEqual(both.body)
    expect((await register(other)).status).toBe(201)
  })

  test('by one of ten who register the same address at once', async () => {
    const email = newAddress()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => register({ name: `Racer ${i}`, email, password: PASSWORD })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(422)])
  })
})

describe('a new user', () => {
  test('has the permissions of the configuration, once activated', async () => {
    const user = await server.newUser({ name: 'Carol', username: 'carol1' })
    const me = await server.request<UserBody>('GET', '/v1/users/me', { token: user.token })
    expect(me.status).toBe(200)
    expect(me.body.user).toMatchObject({
      id: user.id,
      email: user.email,
      username: 'carol1',
      activated: true,
    })
    expect(me.body.user.permissions).toEqual(['movies:read'])
    expect(Object.keys(me.body.user).at(-1)).toBe('permissions')
    expect((await server.request('GET', '/v1/movies', { token: user.token })).status).toBe(200)
    expect((await server.request('POST', '/v1/movies', { token: user.token, body: {} })).status).toBe(403)
    const none = await server.newUser({ permissions: [] })
    const bare = await server.request<UserBody>('GET', '/v1/users/me', { token: none.token })
    expect(bare.body.user.permissions).toEqual([])
  })

  test('leaves no password and no token in the database', async () => {
    const email = newAddress()
    const { body } = await register({ name: 'Dave', email, password: PASSWORD })
    const [token = ''] = await mailedTokens(email, /Activate/)
    const [stored] = await server.sql`select password_hash from users where id = ${body.user.id}`
    const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(stored?.password_hash) ?? []
    expect(Number(memory)).toBeGreaterThanOrEqual(19_456)
    expect(Number(passes)).toBeGreaterThanOrEqual(2)
    const hash = Buffer.from(new Bun.CryptoHasher('sha256').update(token).digest()).toString('hex')
    const hashes =
      await server.sql`select encode(hash, 'hex') as hash from tokens where user_id = ${body.user.id}`
    expect([...hashes]).toEqual([{ hash }])
    const rows = await server.sql`
      select to_jsonb(users)::text || coalesce((select jsonb_agg(t)::text from tokens t), '') || coalesce((select jsonb_agg(m)::text from mails m), '') as everything
      from users where id = ${body.user.id}`
    expect(rows[0]?.everything).toContain(email)
    for (const secret of [PASSWORD, token]) expect(rows[0]?.everything).not.toContain(secret)
  })
})

describe('activation', () => {
  const wrong = { status: 422, body: { error: { token: 'invalid or expired activation token' } } }

  test('takes the mailed token once, and all others of the user with it', async () => {
    const email = newAddress()
    const { body: registered } = await register({ name: 'Erin', email, password: PASSWORD })
    const { id } = registered.user
    await mailedTokens(email, /Activate/)
    await server.request('POST', '/v1/tokens/activation', { body: { email } })
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

  test('refuses a token that is wrong, expired or for something else', async () => {
    const user = await server.newUser({ activated: false })
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
      const answer = await server.request('PUT', '/v1/users/activated', { body: { token } })
      expect(answer).toMatchObject({ status: 422, body: { error: { token: message } } })
    }
    expect((await server.request('GET', '/v1/users/me', { token: user.token })).status).toBe(403)
    expect((await activate(good)).status).toBe(200)
    expect((await server.request('GET', '/v1/users/me', { token: user.token })).status).toBe(200)
  })

  test('of 20 requests at once with one token exactly one succeeds', async () => {
    const user = await server.newUser({ activated: false })
    const token = await plantToken(user.id, 'activation')
    const answers = await Promise.all(Array.from({ length: 20 }, () => activate(token)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)])
  })
})

describe('a password reset', () => {
  const NEW_PASSWORD = 'another battery staple'

  test('takes the mailed token, ends older sign-ins and the old password', async () => {
    const user = await server.newUser({ name: 'Frank N. Furter', username: 'frankfurter' })
    await server.request('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
    await server.request('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
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
    expect((await server.request('GET', '/v1/users/me', { token: user.token })).status).toBe(200)

    const answer = await resetPassword(token, NEW_PASSWORD)
    expect(answer).toMatchObject({ status: 200, body: { message: 'your password is successfully reset' } })
    expect((await server.request('GET', '/v1/users/me', { token: user.token })).status).toBe(401)
    expect((await signIn(user.email, user.password)).status).toBe(401)
    const fresh = await server.signIn(user.email, NEW_PASSWORD)
    expect((await server.request('GET', '/v1/users/me', { token: fresh })).status).toBe(200)
    for (const used of [token, second])
      expect(await resetPassword(used, NEW_PASSWORD)).toMatchObject({
        status: 422,
        body: { error: { token: 'invalid or expired password reset token' } },
      })
  })

  test('refuses a token that is wrong, expired or for something else, and tells all that is wrong', async () => {
    const user = await server.newUser()
    const expired = await plantToken(user.id, 'password-reset', '-1 second')
    const activation = await plantToken(user.id, 'activation')
    for (const token of ['B'.repeat(26), expired, activation])
      expect(await resetPassword(token, NEW_PASSWORD)).toMatchObject({
        status: 422,
        body: { error: { token: 'invalid or expired password reset token' } },
      })
    const answer = await server.request('PUT', '/v1/users/password', {
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

  test('of 20 requests at once with one token exactly one succeeds', async () => {
    const user = await server.newUser()
    const token = await plantToken(user.id, 'password-reset')
    const passwords = Array.from({ length: 20 }, (_, i) => `racing password ${i}`)
    const answers = await Promise.all(passwords.map((password) => resetPassword(token, password)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)])
    const winner = passwords[answers.findIndex(({ status }) => status === 200)] ?? ''
    expect((await signIn(user.email, winner)).status).toBe(201)
  })
})
