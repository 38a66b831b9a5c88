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
setDefaultTimeout(60_000)

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
  // method, path, who, then what the log says: route and status.
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
  test.each(requests)('%s %s by %s is one line of the log', async (method, path, who, route, status) => {
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
    expect(Number(line?.duration_ms)).toBeWithin(0, 5000)
    expect(String(line?.time)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('that is not let in is logged with its user all the same', async () => {
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
  ])('is given an id instead of %j', async (id) => {
    const answer = await server.request('GET', '/v1/healthcheck', { headers: { 'X-Request-Id': id } })
    expect(answer.headers.get('x-request-id')).toMatch(uuid)
    expect(server.logLines().filter((line) => line.message === 'request' && line.request_id === id)).toEqual(
      [],
    )
  })
})

type Vars = Record<string, unknown> & {
  total_requests_received: number
  total_responses_sent: number
  total_processing_time_μs: number
  total_responses_sent_by_status: Record<string, number>
  in_flight_requests: number
  uptime_seconds: number
}
const vars = async () => (await server.figures<Vars>('/debug/vars')).body

describe('/debug/vars', () => {
  test('has the keys of the contract and no others', async () => {
    const answer = await server.request<Vars>('GET', '/debug/vars')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(Object.keys(answer.body).sort()).toEqual(
      [
        'version',
        'uptime_seconds',
        'timestamp',
        'memstats',
        'database',
        'total_requests_received',
        'total_responses_sent',
        'total_processing_time_μs',
        'total_responses_sent_by_status',
        'in_flight_requests',
        'event_loop_lag_ms',
        'mail_queue',
      ].sort(),
    )
    expect(answer.body).toMatchObject({
      version: expect.stringMatching(/./),
      database: { size: expect.any(Number), busy: expect.any(Number), waiting: expect.any(Number) },
      event_loop_lag_ms: expect.any(Number),
    })
    expect(Math.abs(Number(answer.body.timestamp) - Date.now() / 1000)).toBeLessThan(10)
    expect(answer.text).not.toMatch(/cmdline|environ|argv|\/work\/|\/home\/|\/tmp\//i)
  })

  test('counts every request and answer, by status', async () => {
    const before = await vars()
    await Promise.all(Array.from({ length: 10 }, () => server.request('GET', '/v1/nothing')))
    for (let i = 0; i < 5; i++) await server.request('GET', '/v1/movies')
    const after = await vars()
    const grown = (key: 'total_requests_received' | 'total_responses_sent') => after[key] - before[key]
    expect(grown('total_requests_received')).toBe(grown('total_responses_sent'))
    const status = (from: Vars, code: number) => from.total_responses_sent_by_status[code] ?? 0
    expect(status(after, 404) - status(before, 404)).toBe(10)
    expect(status(after, 401) - status(before, 401)).toBe(5)
    expect(grown('total_responses_sent') - (status(after, 200) - status(before, 200))).toBe(15)
    const total = Object.values(after.total_responses_sent_by_status).reduce((sum, each) => sum + each, 0)
    expect(total).toBe(after.total_responses_sent)
    expect(after.total_processing_time_μs).toBeGreaterThan(before.total_processing_time_μs)
    expect(after.uptime_seconds).toBeGreaterThan(before.uptime_seconds)
    expect(after.in_flight_requests).toBe(1)
  })

  test('tells what is under way', async () => {
    const body = { email: 'nobody@example.com', password: 'wrong' }
    const signIn = () => server.request('POST', '/v1/tokens/authentication', { body })
    const underWay = await server.sql.begin(async (tx) => {
      await tx`lock table users`
      const held = Array.from({ length: 5 }, signIn)
      while ((await vars()).in_flight_requests !== 6);
      return { held }
    })
    await Promise.all(underWay.held)
    expect((await vars()).in_flight_requests).toBe(1)
  })
})

type Sample = { name: string; labels: Record<string, string>; value: number }
/** The Prometheus text format, version 0.0.4: throws on a line that is none of it. */
function parseMetrics(text: string): { samples: Sample[]; types: Map<string, string> } {
  const types = new Map<string, string>()
  const samples: Sample[] = []
  expect(text).toEndWith('\n')
  for (const line of text.split('\n')) {
    if (line === '' || /^# HELP [a-zA-Z_:][\w:]* /.test(line)) continue
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line)
    if (type?.[1] !== undefined) {
      expect(types.has(type[1])).toBe(false)
      types.set(type[1], type[2] ?? '')
      continue
    }
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(
      line,
    )
    if (sample === null) throw new Error(`no metric: ${line}`)
    const [, name = '', labels = '', value] = sample
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
      key,
      text,
    ])
    samples.push({
      name,
      labels: Object.fromEntries(pairs),
      value: value === '+Inf' ? Infinity : Number(value),
    })
  }
  return { samples, types }
}
async function metrics() {
  const answer = await server.figures('/metrics')
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; (version=0\.0\.4; )?charset=utf-8/)
  return parseMetrics(answer.text)
}
const HISTOGRAM = 'redlight_http_request_duration_seconds'

describe('/metrics', () => {
  test('parses, and has the figures of /debug/vars', async () => {
    const { samples, types } = await metrics()
    expect(types.get(HISTOGRAM)).toBe('histogram')
    for (const { name, value } of samples) {
      expect(types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, ''))).toBe(true)
      expect([name, Number.isNaN(value)]).toEqual([name, false])
    }
    const topics = [
      'version|build',
      'uptime',
      'memory',
      'connections',
      'waiting',
      'responses',
      'in_flight',
      'lag',
      'mails',
    ]
    for (const topic of topics)
      expect(
        samples.some(({ name }) => new RegExp(topic).test(name)),
        topic,
      ).toBe(true)
  })

  test('has a latency histogram by route pattern, method and status class', async () => {
    const count = (all: Sample[], route: string, method: string, status: string) =>
      all.find(
        ({ name, labels }) =>
          name === `${HISTOGRAM}_count` &&
          labels.route === route &&
          labels.method === method &&
          labels.status === status,
      )?.value ?? 0
    const before = (await metrics()).samples
    for (let i = 1; i <= 7; i++)
      await server.request('GET', `/v1/movies/${999_000 + i}`, { token: alice.token })
    for (let i = 1; i <= 3; i++) await server.request('GET', '/v1/movies', { token: alice.token })
    for (let i = 1; i <= 20; i++) await server.request('GET', `/${crypto.randomUUID()}`)
    const { samples } = await metrics()
    const grown = (...labels: [string, string, string]) =>
      count(samples, ...labels) - count(before, ...labels)
    expect(grown('/v1/movies/:id', 'GET', '4xx')).toBe(7)
    expect(grown('/v1/movies', 'GET', '2xx')).toBe(3)
    expect(grown('none', 'GET', '4xx')).toBe(20)

    const series = Map.groupBy(
      samples.filter(({ name }) => name.startsWith(HISTOGRAM)),
      ({ labels: { route, method, status } }) => `${route} ${method} ${status}`,
    )
    for (const [labels, parts] of series) {
      expect(labels).toMatch(/^(none|\/[\w/:.*-]*) (GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|other) [1-5]xx$/)
      expect(labels).not.toMatch(/999|[0-9a-f]{8}-/)
      const buckets = parts.filter(({ name }) => name.endsWith('_bucket')).map(({ value }) => value)
      expect(buckets).toEqual(buckets.toSorted((a, b) => a - b))
      expect(parts.at(-1)?.name).toBe(`${HISTOGRAM}_count`)
      expect(buckets.at(-1)).toBe(parts.at(-1)?.value ?? Number.NaN)
    }
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

    // What nobody foresaw: a table that is gone, under a request with something in it.
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
