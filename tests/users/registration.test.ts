import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { PASSWORD } from '../support/server'
import { untilHashed } from '../support/until'
import { COMMON, type Fields, newAddress, TOO_SHORT, userService } from '../support/users'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, register, signIn } = userService()

const LONGEST_DOMAIN = `${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`
const tagged = () => crypto.randomUUID().replaceAll('-', '').padEnd(64, 'x')
const NOT_AN_ADDRESS = 'must be a valid email address like alice@example.com'
const NOT_A_USERNAME = 'must be 3 to 32 ASCII letters and digits, starting with a letter'

const atMost = (count: number) => `must not be more than ${count} characters long`
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
  // The changes to a valid one, and the whole response; undefined removes a field.
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

  test('at most 20 unknown keys are named', async () => {
    const unknown = Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`key${i}`, i]))
    const answer = await server().request<{ error: Record<string, string> }>('POST', '/v1/users', {
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

  test('and the response has the keys of the contract, in order', async () => {
    const email = newAddress()
    const before = Date.now()
    const plain = await register({ name: 'Bob', email, password: PASSWORD })
    expect(Object.keys(plain.body.user)).toEqual(['id', 'created_at', 'name', 'email', 'activated'])
    expect(plain.body.user).toMatchObject({ name: 'Bob', email, activated: false })
    expect(plain.body.user.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(String(plain.body.user.created_at))).toBeWithin(before - 2000, Date.now() + 2000)
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

  test('for one of ten simultaneous ones with the same address', async () => {
    const email = newAddress()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        untilHashed(() => register({ name: `Racer ${i}`, email, password: PASSWORD })),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(422)])
  })
})
