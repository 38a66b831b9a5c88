import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

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
    const before = Math.floor(Date.now() / 1000) - 1
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
    expect(Number(answer.body.timestamp)).toBeWithin(before, Date.now() / 1000 + 1)
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

  test('reports requests in flight', async () => {
    const body = { email: 'nobody@example.com', password: 'wrong' }
    const signIn = () => server.request('POST', '/v1/tokens/authentication', { body })
    const underWay = await server.sql.begin(async (tx) => {
      await tx`lock table users`
      const held = Array.from({ length: 5 }, signIn)
      await until(async () => (await vars()).in_flight_requests === 6)
      return { held }
    })
    await Promise.all(underWay.held)
    expect((await vars()).in_flight_requests).toBe(1)
  })
})

type Sample = { name: string; labels: Record<string, string>; value: number }
/** The Prometheus text format, version 0.0.4; throws on any other line. */
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
