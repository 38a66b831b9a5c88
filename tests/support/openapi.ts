import { afterAll, beforeAll, expect } from 'bun:test'
import Ajv from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import { type Answer, startTestServer, type TestServer, testConfig } from './server'

type Examples = Record<string, { value: unknown }>
export type Content = Record<string, { schema: object; example?: unknown; examples?: Examples }>
type Operation = {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters: { name: string; in: string; example?: number | string }[]
  requestBody?: { content: Content }
  responses: Record<string, { description: string; headers: Record<string, object>; content?: Content }>
}
export type OpenApi = {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

export type Sent = {
  token?: string
  id?: number
  externalId?: string
  query?: string
  headers?: Record<string, string>
}
type Body = { body?: unknown; rawBody?: string }

/** The same schemas without additional properties, so that everything must be documented. */
function closed<T>(node: T): T {
  if (Array.isArray(node)) return node.map(closed) as T
  if (typeof node !== 'object' || node === null) return node
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]))
  if (copy.type === 'object' && copy.properties !== undefined) copy.additionalProperties ??= false
  return copy as T
}

/** The service with its initial movies, its document, and requests whose responses are checked against it. */
export function documentedService() {
  let server: TestServer
  let document: OpenApi
  const operations = new Map<string, Operation & { method: string; path: string }>()
  let ajv: Ajv
  beforeAll(async () => {
    server = await startTestServer({ limiter: neverReached() }, { keepMovies: true })
    document = (await server.request<OpenApi>('GET', '/docs/json')).body
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods))
        operations.set(operation.operationId, { ...operation, method: method.toUpperCase(), path })
    ajv = new Ajv({ strict: false, allErrors: true })
    addFormats(ajv)
    ajv.addSchema({ $id: 'document', ...closed(document) })
  })
  afterAll(() => server.stop())

  function operationOf(id: string) {
    const operation = operations.get(id)
    if (operation === undefined) throw new Error(`the document has no operation ${id}`)
    return operation
  }

  /** The problems of a value according to a schema in the document. */
  function problemsAt(place: readonly string[], value: unknown) {
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    const check = ajv.getSchema(`document#/${pointer.join('/')}`)
    if (check === undefined) throw new Error(`the document has no schema at ${place.join(' / ')}`)
    return check(value) ? [] : check.errors
  }

  /** Checks a response against the document's entry for its status. */
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

  /** Calls an operation and checks the response against the document. */
  async function call(id: string, { id: record, externalId, query = '', ...sent }: Sent & Body = {}) {
    const { method, path, parameters } = operationOf(id)
    const example = parameters.find((parameter) => parameter.in === 'path')?.example
    const url =
      path
        .replace('{id}', String(record ?? example))
        .replace('{external_id}', String(externalId ?? example)) + query
    const answer = await server.request(method, url, sent)
    expectDocumented(id, answer)
    return answer
  }

  const exampleBodies = (id: string) =>
    Object.values(operationOf(id).requestBody?.content['application/json']?.examples ?? {}).map(
      ({ value }) => value,
    )

  /** Calls an operation with each of its examples, and returns the first response. */
  async function callExamples(id: string, sent: Sent = {}, more: object = {}) {
    const bodies = exampleBodies(id).map((body) => ({ ...Object(body), ...more }))
    const answers: Answer[] = []
    for (const body of bodies) answers.push(await call(id, { ...sent, body }))
    return bodies.length === 0 ? [await call(id, sent)] : answers
  }

  const successOf = (id: string) => Object.entries(operationOf(id).responses)[0]

  return {
    server: () => server,
    document: () => document,
    operations,
    operationOf,
    problemsAt,
    expectDocumented,
    call,
    exampleBodies,
    callExamples,
    successOf,
  }
}

/** Limits that are on, so that responses have their headers, but too high to be reached. */
export function neverReached() {
  const { limiter } = testConfig({ kind: 'embedded', dataDir: '', poolMax: 1, waitMs: 0 })
  const signIns = { signInsPerMinute: 0, failedSignInsPerMinute: 0, accountFailuresPerMinute: 0 }
  const mails = { registrationsPerMinute: 0, mailsPerMailboxPerHour: 0, mailsPerAddressPerHour: 0 }
  return { ...limiter, ...signIns, ...mails, enabled: true, requestsPerSecond: 1000, burst: 100_000 }
}
