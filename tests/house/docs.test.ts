import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Ajv from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import { $ } from 'bun'
import { createLog } from '../../src/log'
import { startServer } from '../../src/server/server'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { type Answer, startTestServer, type TestServer, type TestUser, testConfig } from '../support/server'

type Examples = Record<string, { value: unknown }>
type Content = Record<string, { schema: object; example?: unknown; examples?: Examples }>
type Operation = {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: { token: string[] }[]
  parameters: { name: string; in: string; example?: number }[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; headers: Record<string, object>; content?: Content }>
}
type OpenApi = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

const REDOCLY = join(import.meta.dir, '..', '..', 'node_modules', '.bin', 'redocly')

let database: TestDatabase
let server: TestServer
let document: OpenApi
let routes: string[]
const operations = new Map<string, Operation & { method: string; path: string }>()
let ajv: Ajv
beforeAll(async () => {
  database = await createTestDatabase()
  const log = createLog('error', () => {})
  const started = await startServer(testConfig(database.config), log)
  routes = started.routes.map(({ method, path }) => `${method} ${path}`)
  await started.stop()
  server = await startTestServer({}, { database, keepFilms: true })
  document = (await server.request<OpenApi>('GET', '/docs/json')).body
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      operations.set(operation.operationId, { ...operation, method: method.toUpperCase(), path })
  ajv = new Ajv({ strict: false, allErrors: true })
  addFormats(ajv)
  ajv.addSchema({ $id: 'document', ...closed(document) })
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

/** The same schemas without room for a property that they don't name, so that nothing goes undocumented. */
function closed<T>(node: T): T {
  if (Array.isArray(node)) return node.map(closed) as T
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]))
  if (copy.type === 'object' && copy.properties !== undefined) copy.additionalProperties ??= false
  return copy as T
}

function operationOf(id: string) {
  const operation = operations.get(id)
  if (operation === undefined) throw new Error(`the document has no operation ${id}`)
  return operation
}

/** What is wrong with a value by the schema at a place in the document. */
function problemsAt(place: readonly string[], value: unknown) {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
  const check = ajv.getSchema(`document#/${pointer.join('/')}`)
  if (check === undefined) throw new Error(`the document has no schema at ${place.join(' / ')}`)
  return check(value) ? [] : check.errors
}

/** Holds an answer against what the document says of its status. */
function expectDocumented(id: string, answer: Answer) {
  const { method, path, responses } = operationOf(id)
  const response = responses[answer.status]
  if (response === undefined) throw new Error(`${id} answered ${answer.status} ${answer.text}`)
  // Only while the primary is away.
  const always = Object.keys(response.headers).filter((name) => name !== 'X-Redlight-Stale')
  const missing = always.filter((name) => !answer.headers.has(name))
  expect({ id, status: answer.status, missing }).toEqual({ id, status: answer.status, missing: [] })
  const [type] = Object.keys(response.content ?? {})
  expect(answer.headers.get('content-type')?.split(';')[0]).toBe(type)
  if (type === undefined) return expect(answer.text).toBe('')
  const place = [
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    String(answer.status),
    'content',
    type,
    'schema',
  ]
  const value = type === 'application/json' ? answer.body : answer.text
  expect({ id, problems: problemsAt(place, value) }).toEqual({ id, problems: [] })
}

type Sent = { token?: string; id?: number; query?: string; headers?: Record<string, string> }
type Body = { body?: unknown; rawBody?: string }

/** Calls an operation and holds the answer against the document. */
async function call(id: string, { id: record, query = '', ...sent }: Sent & Body = {}) {
  const { method, path, parameters } = operationOf(id)
  const example = parameters.find((parameter) => parameter.in === 'path')?.example
  const url = path.replace('{id}', String(record ?? example)) + query
  const answer = await server.request(method, url, sent)
  expectDocumented(id, answer)
  return answer
}

const exampleBodies = (id: string) =>
  Object.values(operationOf(id).requestBody?.content['application/json']?.examples ?? {}).map(
    ({ value }) => value,
  )

/** Calls an operation with each of its examples, and answers with the first answer. */
async function callExamples(id: string, sent: Sent = {}, more: object = {}) {
  const bodies = exampleBodies(id).map((body) => ({ ...Object(body), ...more }))
  const answers: Answer[] = []
  for (const body of bodies) answers.push(await call(id, { ...sent, body }))
  return bodies.length === 0 ? [await call(id, sent)] : answers
}

const successOf = (id: string) => Object.entries(operationOf(id).responses)[0]

describe('the OpenAPI document', () => {
  test('is valid 3.1 without errors for redocly lint', async () => {
    expect(document.openapi).toBe('3.1.0')
    const folder = await mkdtemp(join(tmpdir(), 'redlight-test-'))
    await Bun.write(join(folder, 'openapi.json'), JSON.stringify(document))
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    const lint = await $`${process.execPath} ${REDOCLY} lint openapi.json`
      .cwd(folder)
      .env(env)
      .nothrow()
      .quiet()
    await rm(folder, { recursive: true })
    expect(lint.exitCode === 0 ? 'valid' : lint.stderr.toString()).toBe('valid')
  }, 30_000)

  test('has every route, and no other', () => {
    const documented = [...operations.values()].map(
      ({ method, path }) => `${method} ${path.replace('{id}', ':id')}`,
    )
    // Pages are for people: no generated client has a use for them.
    const known = routes.filter((route) => / \/(v1\/|metrics$|debug\/vars$)/.test(route))
    expect(documented.sort()).toEqual(known.sort())
  })

  test('says of every operation what it is, and names each once', () => {
    for (const [id, { summary, description, tags, security, responses, requestBody }] of operations) {
      expect([id, summary, description].every((text) => text.length > 0)).toBe(true)
      expect(tags).toHaveLength(1)
      expect(Array.isArray(security)).toBe(true)
      expect(Object.keys(responses)).toContain('500')
      expect(Object.keys(requestBody?.content ?? { 'application/json': {} })).toEqual(['application/json'])
    }
    const count = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length
    expect(operations.size).toBe(count)
  })

  test('has examples that keep to their own schemas', () => {
    let checked = 0
    const check = (place: string[], content: Content = {}) => {
      for (const [type, { example, examples = {} }] of Object.entries(content))
        for (const value of [example, ...Object.values(examples).map(({ value }) => value)]) {
          if (value === undefined) continue
          expect({ place, problems: problemsAt([...place, 'content', type, 'schema'], value) }).toEqual({
            place,
            problems: [],
          })
          checked++
        }
    }
    for (const { method, path, requestBody, responses } of operations.values()) {
      const place = ['paths', path, method.toLowerCase()]
      check([...place, 'requestBody'], requestBody?.content)
      for (const [status, { content }] of Object.entries(responses))
        check([...place, 'responses', status], content)
    }
    expect(checked).toBeGreaterThan(100)
  })
})

describe('the service keeps to its document', () => {
  const called = new Set<string>()
  let token: string

  /** The examples of an operation must succeed, with the status that the document names first. */
  async function succeed(id: string, sent: Sent = {}, more: object = {}) {
    called.add(id)
    const answers = await callExamples(id, sent, more)
    expect(answers.map(({ status }) => String(status))).toEqual(answers.map(() => String(successOf(id)?.[0])))
    return answers[0]
  }

  const exampleOf = (id: string) => successOf(id)?.[1].content?.['application/json']?.example

  test('with each example, in the order in which a newcomer would send them', async () => {
    const email = 'alice@example.com'
    await succeed('registerUser')
    await succeed('requestActivation')
    await succeed('activateUser', {}, { token: await server.mailedToken(email) })
    const signedIn = await succeed('signIn')
    token = Object(signedIn?.body.authentication_token).token

    await succeed('showMe', { token })
    await succeed('listMovies', { token })
    expect((await call('listMovies', { token, query: '?page_size=2' })).body).toEqual(
      Object(exampleOf('listMovies')),
    )
    expect((await succeed('showMovie', { token }))?.body).toEqual(Object(exampleOf('showMovie')))
    expect((await succeed('createMovie', { token }))?.body).toEqual(Object(exampleOf('createMovie')))
    expect((await succeed('updateMovie', { token }))?.body).toEqual(Object(exampleOf('updateMovie')))
    await succeed('addFavourite', { token })
    await succeed('listFavourites', { token })
    await succeed('removeFavourite', { token })
    await succeed('deleteMovie', { token })

    const activationToken = await server.mailedToken(email)
    await succeed('requestPasswordReset')
    let resetToken = activationToken
    while (resetToken === activationToken) {
      await Bun.sleep(20)
      resetToken = await server.mailedToken(email)
    }
    await succeed('resetPassword', {}, { token: resetToken })
    const again = await server.signIn(email, 'another-pa55word-of-alice')
    await succeed('signOutEverywhere', { token: again })

    for (const id of ['checkHealth', 'showVariables', 'showMetrics']) await succeed(id)
    expect([...called].sort()).toEqual([...operations.keys()].sort())
  }, 30_000)

  test('for every kind of caller, by the operation’s own security', async () => {
    const inactive = await server.newUser({ activated: false })
    const reader = await server.newUser({ permissions: ['movies:read'] })
    const nobody = await server.newUser({ permissions: [] })
    const refusedTo = async (id: string, caller?: TestUser) =>
      (await call(id, { token: caller?.token })).status
    for (const [id, { security, responses }] of operations) {
      const needs = security[0]?.token
      expect([id, (await refusedTo(id)) === 401]).toEqual([id, needs !== undefined])
      if (needs === undefined) continue
      expect((await call(id, { token: 'wrong' })).status).toBe(401)
      expect([id, (await refusedTo(id, inactive)) === 403]).toEqual([id, '403' in responses])
      expect([id, (await refusedTo(id, nobody)) === 403]).toEqual([id, needs.length > 0])
      if (needs.includes('movies:write')) expect([id, await refusedTo(id, reader)]).toEqual([id, 403])
      // Signing out everywhere would keep these users from the operations that follow.
      for (const user of [inactive, reader, nobody])
        if (id === 'signOutEverywhere') user.token = await server.signIn(user.email)
    }
  }, 30_000)

  test('for bodies and queries that break its rules', async () => {
    const owner = await server.newUser()
    const movie = { title: 'A Film for Mistakes', year: 2001, runtime: '9 mins', genres: ['drama'] }
    const created = await call('createMovie', { token: owner.token, body: movie })
    const known = { token: owner.token, id: Number(Object(created.body.movie).id) }
    const json = { 'Content-Type': 'application/json' }
    for (const [id, { requestBody, parameters }] of operations) {
      const hasQuery = parameters.some((parameter) => parameter.in === 'query')
      // Probes bring parameters of their own.
      const query = id === 'checkHealth' ? '?for=rating' : '?rating=5'
      if (hasQuery) expect((await call(id, { ...known, query })).status).toBe(422)
      if (requestBody === undefined) continue
      const send = async (rawBody: string, headers = json) =>
        (await call(id, { ...known, rawBody, headers })).status
      const statuses = [
        await send('{"a":'),
        await send('{}', { 'Content-Type': 'text/plain' }),
        await send(`"${'a'.repeat(1_048_577)}"`),
        await send('{"rating":5}'),
      ]
      expect([id, ...statuses]).toEqual([id, 400, 415, 413, 422])
    }
  })

  test('for records that are missing, changed or somebody else’s', async () => {
    const owner = await server.newUser()
    const other = await server.newUser()
    const movie = { title: 'A Film for Conflicts', year: 2001, runtime: '9 mins', genres: ['drama'] }
    const created = await call('createMovie', { token: owner.token, body: movie })
    const own = { token: owner.token, id: Number(Object(created.body.movie).id) }
    const status = async (id: string, sent: Sent) => (await call(id, sent)).status
    for (const [id, { path }] of operations)
      if (path.includes('{id}')) expect([id, await status(id, { ...own, id: 999_999 })]).toEqual([id, 404])
    for (const id of ['updateMovie', 'deleteMovie']) {
      expect(await status(id, { ...own, token: other.token })).toBe(403)
      expect(await status(id, { ...own, headers: { 'If-Match': '"9"' } })).toBe(412)
      expect(await status(id, { ...own, headers: { 'X-Expected-Version': '9' } })).toBe(409)
    }
    expect(await status('showMovie', { ...own, headers: { 'If-None-Match': '"1"' } })).toBe(304)
  })

  const usesDatabase = (id: string) => '503' in operationOf(id).responses && id !== 'checkHealth'
  /** Sends the example of every operation that needs the database, all at once. */
  async function expectEverywhere(status: number, fragile: TestServer, token: string) {
    const asked = [...operations].filter(([id]) => usesDatabase(id))
    const answers = asked.map(async ([id, { method, path, parameters }]) => {
      const example = parameters.find((parameter) => parameter.in === 'path')?.example
      const options = { token, body: exampleBodies(id)[0] }
      const answer = await fragile.request(method, path.replace('{id}', String(example)), options)
      expect([id, answer.status]).toEqual([id, status])
      expectDocumented(id, answer)
    })
    expect(answers.length).toBeGreaterThan(10)
    await Promise.all(answers)
  }

  test('when it breaks inside', async () => {
    const fragile = await startTestServer()
    const { token } = await fragile.newUser()
    for (const table of ['movies', 'users', 'favourites', 'tokens'])
      await fragile.sql.unsafe(`alter table ${table} rename to ${table}_away`)
    await expectEverywhere(500, fragile, token)
    await fragile.stop()
  })

  // The embedded database takes its one session back from a transaction that holds the others up.
  test.skipIf(testDatabaseUrl === undefined)('when the database does not answer', async () => {
    const fragile = await startTestServer()
    const { token } = await fragile.newUser()
    await fragile.sql.begin(async (tx) => {
      await tx`lock table movies, users, favourites, tokens in access exclusive mode`
      await expectEverywhere(503, fragile, token)
    })
    await fragile.stop()
  })

  test('once a client asks too much', async () => {
    const limiter = { ...testConfig(database.config).limiter, enabled: true, requestsPerSecond: 1, burst: 1 }
    const strict = await startTestServer({ limiter })
    await strict.request('GET', '/v1/movies')
    expectDocumented('listMovies', await strict.request('GET', '/v1/movies'))
    for (const [id, { method, path, responses }] of operations) {
      const answer = await strict.request(method, path.replace('{id}', '1'))
      expect([id, answer.status === 429]).toEqual([id, '429' in responses])
      expectDocumented(id, answer)
    }
    await strict.stop()
  })
})

describe('the documentation page', () => {
  test('lets nothing run or load but what comes from here', async () => {
    const page = await server.request('GET', '/docs')
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toContain("default-src 'none'")
    expect(policy.split('; ')).toContain("script-src 'self'")
    expect(policy).not.toContain('unsafe')
    expect(policy).not.toContain('http')
    expect(page.text).not.toMatch(/https?:|\/\/[a-z]|<script>|<style|\sstyle=|\son[a-z]+=/)
  })

  test('serves every file that it names, to be kept for ever', async () => {
    const page = await server.request('GET', '/docs')
    const names = [...page.text.matchAll(/(?:src|href)="(docs\/assets\/[^"]+)"/g)].map(
      ([, name = '']) => `/${name}`,
    )
    expect(names).toHaveLength(5)
    const types: Record<string, string> = {
      js: 'text/javascript; charset=utf-8',
      css: 'text/css; charset=utf-8',
      svg: 'image/svg+xml',
    }
    for (const name of names) {
      const asset = await server.request('GET', name)
      expect(asset.status).toBe(200)
      expect(asset.headers.get('content-type') ?? '').toBe(types[name.split('.').at(-1) ?? ''] ?? '')
      expect(asset.headers.get('cache-control')).toContain('immutable')
      if (/\/docs\.[a-z]+$/.test(name)) expect(asset.text).not.toMatch(/https?:|url\(/)
      const older = await server.request('GET', name.replace(/assets\/[^/]+/, 'assets/older'))
      expect(older.headers.get('cache-control')).toBe('no-cache')
    }
    expect((await server.request('GET', '/docs/assets/x/package.json')).status).toBe(404)
  })

  test('keeps the page of the plugin, which asks a foreign server, out of reach', async () => {
    for (const path of ['/docs', '/docs/', '/docs/json', '/swagger', '/swagger/json']) {
      const answer = await server.request('GET', path)
      expect(answer.text).not.toMatch(/unpkg|jsdelivr|scalar/i)
    }
  })
})
