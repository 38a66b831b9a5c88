import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { count, expectRefusal, from, limits, newAddress, statusesOf, stoppedClock } from '../support/limits'
import { type Answer, PASSWORD, startTestServer, type TestServer } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

describe('sign-ins, registrations and mails', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer(
      {
        trustedProxies: ['127.0.0.1'],
        limiter: limits({
          signInsPerMinute: 8,
          failedSignInsPerMinute: 3,
          accountFailuresPerMinute: 6,
          registrationsPerMinute: 4,
          mailsPerMailboxPerHour: 2,
          mailsPerAddressPerHour: 3,
        }),
      },
      { timing: stoppedClock },
    )
  })
  afterAll(() => server.stop())

  const post = (address: string, path: string, body: object) =>
    server.request('POST', path, { headers: from(address), body })
  const signIn = (address: string, login: object, password = PASSWORD) =>
    post(address, '/v1/tokens/authentication', { ...login, password })
  async function signIns(times: number, address: () => string, login: object, password = PASSWORD) {
    const answers: Answer[] = []
    for (let i = 0; i < times; i++) answers.push(await signIn(address(), login, password))
    return statusesOf(answers)
  }
  const WRONG = 'a wrong password'

  test('8 sign-ins a minute from one address, for any user', async () => {
    const [alice, bob] = [await server.newUser(), await server.newUser()]
    const address = newAddress()
    expect(await signIns(4, () => address, { email: alice.email })).toEqual(Array(4).fill(201))
    expect(await signIns(4, () => address, { email: bob.email })).toEqual(Array(4).fill(201))
    expectRefusal(await signIn(address, { email: bob.email }), 'sign-ins', 'q=8;w=60', 8)
    expect((await signIn(newAddress(), { email: bob.email })).status).toBe(201)
    expect(
      (await server.request('GET', '/v1/movies', { token: bob.token, headers: from(address) })).status,
    ).toBe(200)
  })

  test('3 failed ones for one name and address', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    expect(await signIns(3, () => address, { email }, WRONG)).toEqual([401, 401, 401])
    expectRefusal(await signIn(address, { email }, WRONG), 'failed-sign-ins', 'q=3;w=60', 20)
    expect((await signIn(address, { email: email.toUpperCase() })).status).toBe(429)
    // Neither the owner elsewhere nor others here are locked out.
    expect((await signIn(newAddress(), { email })).status).toBe(201)
    expect((await signIn(address, { email: (await server.newUser()).email })).status).toBe(201)
  })

  test('as many for an unknown account as for a known one', async () => {
    const address = newAddress()
    expect(await signIns(3, () => address, { email: 'ghost@example.com' }, WRONG)).toEqual([401, 401, 401])
    expectRefusal(
      await signIn(address, { email: 'GHOST@example.com' }, WRONG),
      'failed-sign-ins',
      'q=3;w=60',
      20,
    )
  })

  test('6 failed ones for one account from everywhere', async () => {
    const { email } = await server.newUser()
    expect(await signIns(6, newAddress, { email }, WRONG)).toEqual(Array(6).fill(401))
    expectRefusal(await signIn(newAddress(), { email }, WRONG), 'account-failures', 'q=6;w=60', 10)
    const address = newAddress()
    expect(await signIns(4, () => address, { email })).toEqual(Array(4).fill(429))
    // Refusals by the account don't count against the address.
    expectRefusal(await signIn(address, { email }), 'account-failures', 'q=6;w=60', 10)
    expect((await signIn('192.0.2.9', { email })).status).toBe(201)
  })

  test('a success does not count against an account', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    expect(await signIns(2, () => address, { email }, WRONG)).toEqual([401, 401])
    expect(await signIns(3, () => address, { email })).toEqual([201, 201, 201])
    expect(await signIns(9, newAddress, { email })).toEqual(Array(9).fill(201))
    expect(await signIns(2, () => address, { email }, WRONG)).toEqual([401, 429])
    expect(await signIns(3, newAddress, { email }, WRONG)).toEqual(Array(3).fill(401))
  })

  test('of 20 wrong ones at once, exactly 3 are tried', async () => {
    const { email } = await server.newUser()
    const address = newAddress()
    const answers = await Promise.all(Array.from({ length: 20 }, () => signIn(address, { email }, WRONG)))
    expect([count(statusesOf(answers), 401), count(statusesOf(answers), 429)]).toEqual([3, 17])
  })

  test('4 registrations a minute from one address', async () => {
    const address = newAddress()
    const register = (at = address) =>
      post(at, '/v1/users', { name: 'Many', email: `${crypto.randomUUID()}@example.com`, password: PASSWORD })
    const answers = await Promise.all(Array.from({ length: 10 }, () => register()))
    expect(count(statusesOf(answers), 201)).toBe(4)
    expectRefusal(await register(), 'registrations', 'q=4;w=60', 15)
    expect((await post(address, '/v1/users', {})).status).toBe(422)
    expect((await register(newAddress())).status).toBe(201)
  })

  const askMail = (address: string, email: string, kind = 'activation') =>
    post(address, `/v1/tokens/${kind}`, { email })

  test('2 mails an hour for one mailbox, in any case, from everywhere, besides that of the registration', async () => {
    const user = { email: `${crypto.randomUUID()}@example.com` }
    const body = { ...user, name: 'Carol', password: PASSWORD }
    expect((await post(newAddress(), '/v1/users', body)).status).toBe(201)
    expect((await askMail(newAddress(), user.email)).status).toBe(202)
    expect((await askMail(newAddress(), user.email.toUpperCase())).status).toBe(202)
    expectRefusal(await askMail(newAddress(), user.email), 'mails-per-mailbox', 'q=2;w=3600', 1800)
    expect((await askMail(newAddress(), user.email, 'password-reset')).status).toBe(429)
    expect((await askMail(newAddress(), (await server.newUser({ activated: false })).email)).status).toBe(202)
    const [mails] =
      await server.sql`select count(*)::int from mails join users on users.id = user_id where email = ${user.email}`
    expect(mails?.count).toBe(3)
  })

  test('3 mails an hour from one address, so that nobody can list the users', async () => {
    const address = newAddress()
    for (let i = 0; i < 3; i++)
      expect(
        (await askMail(address, `guess${i}@example.com`, i === 1 ? 'password-reset' : 'activation')).status,
      ).toBe(422)
    expectRefusal(await askMail(address, 'guess3@example.com'), 'mails', 'q=3;w=3600', 1200)
    expect((await askMail(newAddress(), 'guess3@example.com')).status).toBe(422)
  })
})
