import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { stoppedClock } from '../support/limits'
import { PASSWORD, startTestServer, type TestServer } from '../support/server'

// What a stranger can do and learn within the limits of sign-ins and mails.

setDefaultTimeout(240_000)
const FAILURES = 2
const ACCOUNT_FAILURES = 4
const WRONG = 'a wrong password'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer(
    {
      trustedProxies: ['127.0.0.1'],
      limiter: {
        enabled: true,
        requestsPerSecond: 0,
        burst: 1,
        signInsPerMinute: 0,
        failedSignInsPerMinute: FAILURES,
        accountFailuresPerMinute: ACCOUNT_FAILURES,
        registrationsPerMinute: 0,
        mailsPerMailboxPerHour: 2,
        mailsPerAddressPerHour: 0,
        exempt: ['127.0.0.1'],
        keyRequestsPerSecond: 0,
        keyBurst: 5,
      },
    },
    { timing: stoppedClock },
  )
})
afterAll(() => server.stop())

let addresses = 0
const newAddress = () => `203.0.${113 + (++addresses >> 8)}.${addresses & 255}`
const post = (path: string, body: object, address = newAddress()) =>
  server.request('POST', path, { headers: { 'X-Forwarded-For': address }, body })

type Name = { email: string } | { username: string }
const signIn = (name: Name, password = WRONG, address = newAddress()) =>
  post('/v1/tokens/authentication', { ...name, password }, address)

describe('failed sign-ins', () => {
  /** Two names of the same account, of different ones, and of none. */
  async function pairsOfNames(): Promise<[Name, Name][]> {
    const run = `x${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`
    const both = await server.newUser({ username: `${run}both` })
    const one = await server.newUser()
    await server.newUser({ username: `${run}other` })
    return [
      [{ email: both.email }, { username: `${run}both` }],
      [{ email: one.email }, { username: `${run}other` }],
      [{ email: `${run}@example.com` }, { username: `${run}nobody` }],
    ]
  }

  /** The responses to guesses for one name, then for the other. */
  async function seen([first, second]: [Name, Name], address: () => string, times: number) {
    const statuses: string[] = []
    for (const name of [first, second, first])
      for (let i = 0; i < times; i++) {
        const { status, headers } = await signIn(name, WRONG, address())
        statuses.push(`${status} ${headers.get('ratelimit-policy') ?? ''}`)
      }
    return statuses
  }

  test('from one address look the same whether or not two names belong to one account', async () => {
    const views = []
    for (const names of await pairsOfNames()) {
      const address = newAddress()
      views.push(await seen(names, () => address, FAILURES + 1))
    }
    const tried = Array(FAILURES).fill('401 ')
    const refused = `429 "failed-sign-ins";q=${FAILURES};w=60`
    const expected = [...tried, refused, ...tried, refused, ...Array(FAILURES + 1).fill(refused)]
    expect(views).toEqual([expected, expected, expected])
  })

  test('from everywhere look the same too', async () => {
    const views = []
    for (const names of await pairsOfNames()) views.push(await seen(names, newAddress, ACCOUNT_FAILURES + 1))
    const tried = Array(ACCOUNT_FAILURES).fill('401 ')
    const refused = `429 "account-failures";q=${ACCOUNT_FAILURES};w=60`
    const expected = [...tried, refused, ...tried, refused, ...Array(ACCOUNT_FAILURES + 1).fill(refused)]
    expect(views).toEqual([expected, expected, expected])
  })

  test('by two names count together against their account, which then accepts no password', async () => {
    const username = 'guessedtwice'
    const { email } = await server.newUser({ username })
    for (let i = 0; i < ACCOUNT_FAILURES / 2; i++) {
      expect((await signIn({ email })).status).toBe(401)
      expect((await signIn({ username: 'GuessedTwice' })).status).toBe(401)
    }
    for (const name of [{ email }, { username }])
      expect(await signIn(name, PASSWORD)).toMatchObject({
        status: 401,
        body: { error: 'invalid authentication credentials' },
      })
    expect((await signIn({ email }, PASSWORD, '127.0.0.1')).status).toBe(201)
  })

  test('no longer count after a success, by either name', async () => {
    const username = 'forgetful1'
    const { email } = await server.newUser({ username })
    const address = newAddress()
    for (let i = 0; i < ACCOUNT_FAILURES + 1; i++) {
      expect((await signIn({ email }, PASSWORD, address)).status).toBe(201)
      expect((await signIn({ username }, PASSWORD, address)).status).toBe(201)
    }
    expect((await signIn({ email }, WRONG, address)).status).toBe(401)
  })

  test('count for a name in any case', async () => {
    const address = newAddress()
    for (const email of ['i@EXAMPLE.com', 'I@example.COM'])
      expect((await signIn({ email }, WRONG, address)).status).toBe(401)
    expect((await signIn({ email: 'i@example.com' }, WRONG, address)).status).toBe(429)
  })
})

describe('mails to one mailbox', () => {
  const FREE = 9
  const register = (email: string) => post('/v1/users', { name: 'Many', email, password: PASSWORD })
  const ask = (email: string, kind = 'activation') => post(`/v1/tokens/${kind}`, { email })

  test('include those to each of its tags', async () => {
    const { email } = await server.newUser({ activated: false })
    const tagged = (tag: string) => email.replace('@', `+${tag}@`)
    expect((await ask(tagged('a'))).status).toBe(422)
    expect((await ask(tagged('b+c').toUpperCase(), 'password-reset')).status).toBe(422)
    const refused = await ask(email)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('ratelimit-policy')).toBe('"mails-per-mailbox";q=2;w=3600')
  })

  test('are limited for registrations, of which the tenth counts as a requested mail', async () => {
    const statuses = []
    for (let i = 0; i < FREE + 4; i++) statuses.push((await register(`many+${i}@example.com`)).status)
    expect(statuses).toEqual([...Array(FREE + 2).fill(201), 429, 429])
    expect((await register('Many@Example.com')).status).toBe(429)
    expect((await ask('many+1@example.com')).status).toBe(429)
    expect((await register('many@another.example.com')).status).toBe(201)
    expect((await register('+@example.com')).status).toBe(201)
    const [mails] = await server.sql`
      select count(*)::int from mails join users on users.id = user_id where email like 'many+%'`
    expect(mails?.count).toBe(FREE + 2)
  })

  test('are limited for simultaneous registrations too', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => register(`rushed+${i}@example.com`)),
    )
    // Those within the limit may still meet a full queue of passwords.
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20 - FREE - 2)
  })

  test('are not used up by refused registrations', async () => {
    const { email } = await server.newUser({ activated: false })
    for (let i = 0; i < 2 * FREE; i++) expect((await register(email)).status).toBe(422)
    expect((await ask(email)).status).toBe(202)
    expect((await ask(email)).status).toBe(202)
    expect((await ask(email)).status).toBe(429)
  })
})
