import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  aMovie,
  JWT_SECRET,
  type LogLine,
  startTestServer,
  type TestServer,
  type TestUser,
} from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

const requestLines = (id: string): LogLine[] =>
  server.logLines().filter((line) => line.message === 'request' && line.request_id === id)
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('a request', () => {
  // Method, path and user, then the route and status in the log.
  const requests: [string, string, 'alice' | 'nobody', string | undefined, number][] = [
    ['GET', '/v1/healthcheck', 'nobody', '/v1/healthcheck', 200],
    ['GET', '/v1/movies?title=x', 'alice', '/v1/movies', 200],
    ['GET', '/v1/movies/999999', 'alice', '/v1/movies/:id', 404],
    ['GET', '/v1/movies/abc', 'nobody', '/v1/movies/:id', 401],
    ['DELETE', '/v1/users/me/favourites/7', 'alice', '/v1/users/me/favourites/:id', 404],
    ['GET', '/v1/movies?page=x', 'alice', '/v1/movies', 422],
    ['POST', '/v1/movies', 'alice', '/v1/movies', 415],
    ['GET', '/v1/nothing/secret', 'nobody', undefined, 404],
    ['PUT', '/v1/movies', 'nobody', undefined, 405],
    ['OPTIONS', '/v1/movies', 'nobody', undefined, 204],
  ]
  test.each(requests)('%s %s by %s is one line in the log', async (method, path, who, route, status) => {
    const token = who === 'alice' ? alice.token : undefined
    const answer = await server.request(method, path, { token })
    expect(answer.status).toBe(status)
    const id = answer.headers.get('x-request-id') ?? ''
    expect(id).toMatch(uuid)
    const [line, ...more] = requestLines(id)
    expect(more).toEqual([])
    const userId = who === 'alice' ? alice.id : undefined
    expect(line).toMatchObject({
      level: route === '/v1/healthcheck' ? 'debug' : 'info',
      method,
      status,
      ...(route && { route }),
      ...(userId && { user_id: userId }),
    })
    expect([line?.route, line?.user_id]).toEqual([route, userId])
    expect(Number(line?.duration_ms)).toBeGreaterThanOrEqual(0)
    expect(String(line?.time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('that is refused is still logged with its user', async () => {
    const inactive = await server.newUser({ activated: false })
    const answer = await server.request('GET', '/v1/movies', { token: inactive.token })
    expect(answer.status).toBe(403)
    const [line] = requestLines(answer.headers.get('x-request-id') ?? '')
    expect(line).toMatchObject({ status: 403, user_id: inactive.id, route: '/v1/movies' })
  })

  test.each([
    'a',
    '7',
    'req-123',
    'a.b_c:d/e+f=',
    crypto.randomUUID(),
    'x'.repeat(128),
    '01HZX-trace:span/1',
  ])('keeps the id %s', async (id) => {
    const answer = await server.request('GET', '/v1/healthcheck', { headers: { 'X-Request-Id': id } })
    expect(answer.headers.get('x-request-id')).toBe(id)
    expect(requestLines(id)).toHaveLength(1)
  })

  test.each([
    '',
    'x'.repeat(129),
    'two words',
    'a,b',
    'a;b',
    '"quoted"',
    '<script>',
    '{"level":"error"}',
    '%0a',
    'a\tb',
    'é',
    "'",
    '$(id)',
    'a\\nb',
  ])('gets a new id instead of %j', async (id) => {
    const answer = await server.request('GET', '/v1/healthcheck', { headers: { 'X-Request-Id': id } })
    expect(answer.headers.get('x-request-id')).toMatch(uuid)
    expect(server.logLines().filter((line) => line.message === 'request' && line.request_id === id)).toEqual(
      [],
    )
  })
})

describe('no secret', () => {
  const SECRETS = {
    password: 'Pa55word-for-the-log',
    wrongPassword: 'Wr0ng-for-the-log',
    newPassword: 'N3w-for-the-log',
    email: 'log.reader@secret.example',
    resetToken: 'QQQQQQQQQQQQQQQQQQQQQQQQQQ',
    forgedToken: 'forged.token.for-the-log',
    path: 'path-for-the-log',
    query: 'query-for-the-log',
    title: 'Title For The Log',
    jwtSecret: JWT_SECRET,
  }

  test('is in a log line (mails aside), a metric or an error answer, whatever fails', async () => {
    const { email, password, wrongPassword, newPassword, resetToken, forgedToken, path, query, title } =
      SECRETS
    const answers: string[] = []
    async function ask(method: string, to: string, options: Parameters<TestServer['request']>[2] = {}) {
      const answer = await server.request(method, to, options)
      if (answer.status >= 400) answers.push(answer.text)
      return answer
    }
    const registered = await ask('POST', '/v1/users', { body: { name: 'Reader', email, password } })
    expect(registered.status).toBe(201)
    expect(registered.text).not.toContain(password)
    const mailed = await server.mailedToken(email)
    await ask('POST', '/v1/users', { body: { name: 'Reader', email, password } })
    await ask('POST', '/v1/users', {
      body: { name: password, email: `${email}@`, password, username: email },
    })
    await ask('POST', '/v1/users', {
      rawBody: `{"password":"${password}`,
      headers: { 'Content-Type': 'application/json' },
    })
    await ask('POST', '/v1/tokens/authentication', { body: { email, password: wrongPassword } })
    await ask('PUT', '/v1/users/activated', { body: { token: resetToken } })
    await ask('PUT', '/v1/users/password', { body: { token: resetToken, password: newPassword } })
    await ask('PUT', '/v1/users/activated', { body: { token: mailed } })
    const token = await server.signIn(email, password)
    await ask('GET', '/v1/movies', { token: forgedToken })
    await ask('GET', `/v1/movies?access_token=${token}&x=${query}`)
    await ask('GET', `/v1/${path}/${token}?q=${query}`, { headers: { 'X-Request-Id': `${token} ${email}` } })
    await ask('GET', `/v1/movies/${encodeURIComponent(email)}`, { token })
    await ask('GET', '/v1/movies', {
      headers: { Authorization: `Basic ${password}`, Referer: query, 'User-Agent': path },
    })

    // An unexpected failure: a missing table, for a request with content.
    await server.sql`alter table movies rename to movies_away`
    const failed = await ask('POST', '/v1/movies', { token, body: aMovie(title) })
    const listed = await ask('GET', `/v1/movies?title=${query}`, { token })
    await server.sql`alter table movies_away rename to movies`
    for (const answer of [failed, listed])
      expect([answer.status, answer.text]).toEqual([
        500,
        '{"error":"the server encountered a problem and could not process your request"}',
      ])
    const id = failed.headers.get('x-request-id')
    expect(server.logLines().find((line) => line.request_id === id && line.level === 'error')).toMatchObject({
      route: '/v1/movies',
      code: '42P01',
    })

    const told = {
      log: server
        .logLines()
        .filter(({ message }) => message !== 'mail')
        .map((line) => JSON.stringify(line)),
      vars: [(await server.request('GET', '/debug/vars')).text],
      metrics: [(await server.request('GET', '/metrics')).text],
      answers,
    }
    const secrets = {
      ...SECRETS,
      mailed,
      token,
      signature: token.split('.')[2] ?? '',
      alice: alice.token,
      aliceEmail: alice.email,
    }
    for (const [where, lines] of Object.entries(told))
      for (const [what, secret] of Object.entries(secrets)) {
        const found = lines.filter((line) => line.toLowerCase().includes(secret.toLowerCase()))
        expect([where, what, found]).toEqual([where, what, []])
      }
    expect(told.answers.join('\n')).not.toMatch(
      /node_modules|\/src\/|\.ts:\d|42P01|relation|select |insert |postgres/i,
    )
    expect(told.log.join('\n')).not.toMatch(/\$argon2|insert into|select /i)
  })
})
