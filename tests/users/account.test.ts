import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { LAST_ADMIN, operatedService } from '../support/operators'
import { PASSWORD, type TestUser } from '../support/server'
import { until, untilHashed } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, admin, ask, newMovie, eventsOf, actionsOf } = operatedService()
const proof = { current_password: PASSWORD }
const TAKEN = { email: 'a user with this email address already exists' }
const WRONG = { current_password: 'is not your password' }
const INVALID_TOKEN = { token: 'invalid or expired email change token' }
const newAddress = () => `new-${crypto.randomUUID().slice(0, 13)}@example.com`

type Me = { user: Record<string, unknown>; authentication_token?: { token: string }; error: unknown }
const change = (user: TestUser, body: object) =>
  untilHashed(() => server().request<Me>('PATCH', '/v1/users/me', { token: user.token, body }))
const me = (token: string) => server().request<Me>('GET', '/v1/users/me', { token })
const confirm = (token: string) => server().request<Me>('PUT', '/v1/users/email', { body: { token } })
const mailsTo = (address: string, subject: RegExp) =>
  server()
    .logLines()
    .filter((line) => line.message === 'mail' && line.to === address && subject.test(String(line.subject)))

/** Asks for a new address, and returns the token of the mail to it. */
async function askFor(user: TestUser, email: string): Promise<string> {
  const count = mailsTo(email, /Confirm/).length
  expect((await change(user, { email, ...proof })).status).toBe(200)
  const mail = await until(() => mailsTo(email, /Confirm/)[count])
  return /^[A-Z2-7]{26}$/m.exec(String(mail.text))?.[0] ?? ''
}

describe('one’s own account', () => {
  test('counts what one has', async () => {
    const user = await server().newUser()
    const id = await newMovie(user.token)
    await server().request('PUT', `/v1/users/me/favourites/${id}`, { token: user.token })
    await server().request('POST', '/v1/keys', { token: user.token, body: { name: 'TV' } })
    const { body } = await me(user.token)
    expect(body.user.counts).toEqual({ movies: 1, favourites: 1, keys: 1 })
    expect(Object.keys(body.user).slice(-2)).toEqual(['permissions', 'counts'])
  })

  test('takes another name and username, and an empty change', async () => {
    const user = await server().newUser({ name: 'Nina', username: 'nina77' })
    const movie = await newMovie(user.token)
    const changed = await change(user, { name: 'Nina Simone', username: 'nina78' })
    expect([changed.status, changed.body.user]).toEqual([
      200,
      expect.objectContaining({ name: 'Nina Simone', username: 'nina78', email: user.email }),
    ])
    expect(changed.body).not.toHaveProperty('authentication_token')
    const shown = await ask('GET', `/v1/movies/${movie}`)
    expect(shown.body.movie).toMatchObject({ created_by: { name: 'Nina Simone', username: 'nina78' } })
    expect((await change(user, { username: null })).body.user).not.toHaveProperty('username')
    expect((await change(user, {})).body.user).toMatchObject({ name: 'Nina Simone' })
    expect(await actionsOf(`user:${user.id}`)).toEqual([])
  })

  test('refuses what breaks a rule, and changes nothing', async () => {
    const other = await server().newUser({ username: 'othello' })
    const user = await server().newUser({ name: 'Rufus', username: 'rufus1' })
    const { body: before } = await me(user.token)
    const refused: [object, object][] = [
      [{ name: null }, { name: 'must be provided' }],
      [{ name: ' ' }, { name: 'must not be blank' }],
      [{ username: 'OTHELLO' }, { username: 'a user with this username already exists' }],
      [{ email: newAddress() }, { current_password: 'must be provided' }],
      [{ password: 'a new password', current_password: null }, { current_password: 'must be provided' }],
      [{ password: 'a new password', current_password: 'wrong' }, WRONG],
      [{ email: newAddress(), current_password: 'wrong' }, WRONG],
      [{ email: other.email.toUpperCase(), ...proof }, TAKEN],
      [{ email: user.email, ...proof }, TAKEN],
      [{ email: null, ...proof }, { email: 'must be provided' }],
      [{ email: 'nobody', ...proof }, { email: expect.stringContaining('valid email address') }],
      [{ password: 'short', ...proof }, { password: expect.stringContaining('at least 8') }],
      [{ password: 'longer name', name: 'Longer Name', ...proof }, { password: 'must not be the name' }],
      [{ admin: true }, { admin: 'is not a known field' }],
    ]
    for (const [body, error] of refused) {
      const answer = await change(user, body)
      expect([body, answer.status, answer.body.error]).toEqual([body, 422, error])
    }
    expect((await me(user.token)).body).toEqual(before)
    expect(await eventsOf(`user:${user.id}`)).toEqual([])
  })
})

describe('a new password', () => {
  test('ends all sessions but a fresh one, older mails, and is told by mail', async () => {
    const user = await server().newUser({ name: 'Pat' })
    const confirmation = await askFor(user, newAddress())
    await ask('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
    const reset = await server().mailedToken(user.email)
    const { status, body } = await change(user, { password: 'a brand new password', ...proof })
    expect([status, body.user.pending_email]).toEqual([200, undefined])
    expect((await me(user.token)).status).toBe(401)
    const fresh = body.authentication_token?.token ?? ''
    expect((await me(fresh)).status).toBe(200)
    await server().signIn(user.email, 'a brand new password')
    expect((await confirm(confirmation)).body.error).toEqual(INVALID_TOKEN)
    const answer = await ask('PUT', '/v1/users/password', {
      body: { token: reset, password: 'yet another one' },
    })
    expect(answer.status).toBe(422)
    await until(() => mailsTo(user.email, /password was changed/).length === 1)
    const [event, ...more] = await eventsOf(`user:${user.id}`)
    expect([event, more]).toEqual([
      expect.objectContaining({ action: 'password.changed', actor: { id: user.id, name: 'Pat' } }),
      [],
    ])
  })

  test('of two at once, one wins', async () => {
    const user = await server().newUser()
    const passwords = ['a first new password', 'a second new password']
    const answers = await Promise.all(passwords.map((password) => change(user, { password, ...proof })))
    const winners = answers.filter(({ status }) => status === 200)
    expect(winners).toHaveLength(1)
    expect(await actionsOf(`user:${user.id}`)).toEqual(['password.changed'])
  })
})

describe('a new address', () => {
  test('waits for its mail, then is the account’s; the old one is told', async () => {
    const user = await server().newUser({ name: 'Mo' })
    const email = newAddress()
    const token = await askFor(user, email)
    expect((await me(user.token)).body.user).toMatchObject({ email: user.email, pending_email: email })
    expect(mailsTo(user.email, /./)).toEqual([])
    const confirmed = await confirm(token)
    expect([confirmed.status, confirmed.body.user]).toEqual([
      200,
      expect.objectContaining({ id: user.id, email, activated: true }),
    ])
    expect(confirmed.body.user).not.toHaveProperty('pending_email')
    expect((await me(user.token)).status).toBe(401)
    expect((await me(await server().signIn(email))).body.user).toMatchObject({ email })
    await until(() => mailsTo(user.email, /address of your Redlight account was changed/).length === 1)
    expect((await confirm(token)).body.error).toEqual(INVALID_TOKEN)
    expect(await eventsOf(`user:${user.id}`)).toEqual([
      expect.objectContaining({
        action: 'email.changed',
        actor: { id: user.id, name: 'Mo' },
        detail: { from: user.email, to: email },
      }),
    ])
  })

  test('that another one was asked for after is not taken', async () => {
    const user = await server().newUser()
    const [first, second] = [newAddress(), newAddress()]
    const older = await askFor(user, first)
    const newer = await askFor(user, second)
    expect((await confirm(older)).body.error).toEqual(INVALID_TOKEN)
    const again = await askFor(user, first)
    expect((await confirm(newer)).body.error).toEqual(INVALID_TOKEN)
    expect((await confirm(older)).status).toBe(422)
    expect((await confirm(again)).body.user).toMatchObject({ email: first })
  })

  test('that became taken before the click is refused, and its token stays good', async () => {
    const user = await server().newUser()
    const email = newAddress()
    const token = await askFor(user, email)
    const other = await server().newUser()
    await server().sql`update users set email = ${email.toUpperCase()} where id = ${other.id}`
    const refused = await confirm(token)
    expect([refused.status, refused.body.error]).toEqual([422, TAKEN])
    expect((await me(user.token)).body.user).toMatchObject({ email: user.email, pending_email: email })
    await server().sql`update users set email = ${other.email} where id = ${other.id}`
    expect((await confirm(token)).status).toBe(200)
    expect(await actionsOf(`user:${user.id}`)).toEqual(['email.changed'])
  })

  test('of 20 clicks at once takes one', async () => {
    const user = await server().newUser()
    const token = await askFor(user, newAddress())
    const answers = await Promise.all(Array.from({ length: 20 }, () => confirm(token)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(422)])
    expect(await actionsOf(`user:${user.id}`)).toEqual(['email.changed'])
  })
})

describe('leaving', () => {
  const leave = (user: TestUser, password = PASSWORD) =>
    untilHashed(() =>
      server().request('DELETE', '/v1/users/me', { token: user.token, body: { current_password: password } }),
    )

  test('gives one’s movies to the built-in account, and removes all else', async () => {
    const user = await server().newUser({ name: 'Lea' })
    const id = await newMovie(user.token)
    await askFor(user, newAddress())
    const wrong = await leave(user, 'wrong')
    expect([wrong.status, wrong.body as unknown]).toEqual([422, { error: WRONG }])
    const left = await leave(user)
    expect([left.status, left.body as unknown]).toEqual([200, { message: 'your account was removed' }])
    expect((await me(user.token)).status).toBe(401)
    expect((await ask('GET', `/v1/movies/${id}`)).body.movie).toMatchObject({ created_by: { id: 1 } })
    for (const table of ['tokens', 'mails', 'users_permissions'])
      expect(await server().sql`select 1 from ${server().sql(table)} where user_id = ${user.id}`).toBeEmpty()
    expect(await eventsOf(`user:${user.id}`)).toEqual([
      expect.objectContaining({
        action: 'account.removed',
        actor: { id: user.id, name: 'Lea' },
        detail: { movies: 1 },
      }),
    ])
  })

  test('while one adds movies on two connections leaves no orphan', async () => {
    const user = await server().newUser()
    let isLeaving = true
    const adding = async () => {
      const statuses = new Set<number>()
      while (isLeaving || !statuses.has(401)) {
        const { status } = await server().request('POST', '/v1/movies', {
          token: user.token,
          body: { title: crypto.randomUUID(), year: 2001, runtime: '1 mins', genres: ['drama'] },
        })
        statuses.add(status)
      }
      return [...statuses].sort()
    }
    const connections = [adding(), adding()]
    await until(async () => (await me(user.token)).body.user.counts !== undefined)
    expect((await leave(user)).status).toBe(200)
    isLeaving = false
    for (const statuses of await Promise.all(connections))
      expect(statuses.filter((status) => ![201, 401].includes(status))).toEqual([])
    const orphans = await server().sql`
      select movies.id from movies left join users on users.id = created_by where users.id is null`
    expect(orphans).toBeEmpty()
    expect(await server().sql`select 1 from movies where created_by = ${user.id}`).toBeEmpty()
  })

  test('is not for the last admin', async () => {
    const answer = await leave(admin())
    expect([answer.status, answer.body.error]).toEqual([422, LAST_ADMIN])
    expect((await me(admin().token)).status).toBe(200)
  })
})
