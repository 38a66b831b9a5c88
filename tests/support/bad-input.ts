import { afterAll, beforeAll, expect } from 'bun:test'
import { aMovie, startTestServer, type TestServer, type TestUser } from './server'

export const MIB = 1_048_576
export const JSON_TYPE = 'application/json'
export const NOT_AN_OBJECT = 'body must be a JSON object'
export const TOO_LARGE = 'body must not be larger than 1048576 bytes'
// Internal details, which no response may contain.
export const INSIDE =
  /node_modules|\/src\/|\.ts:\d|\bat [\w.<>]+ \(|select |insert |PostgresError|RangeError|Elysia/i

export type Sent = { type?: string; body: Bun.BodyInit; encoding?: string }

/** The service for the tests of one file, with a movie of alice's. */
export function attackedService() {
  let server: TestServer
  let alice: TestUser
  let movieId: number
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser()
    const created = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie('Mine'),
    })
    movieId = created.body.movie.id
  })
  afterAll(() => server.stop())

  /** As alice, because bodies without a token aren't read on guarded routes. */
  async function send(method: string, path: string, { type = JSON_TYPE, body, encoding }: Sent) {
    const headers: Record<string, string> = { Authorization: `Bearer ${alice.token}` }
    if (type !== '') headers['Content-Type'] = type
    if (encoding !== undefined) headers['Content-Encoding'] = encoding
    const response = await fetch(new URL(path.replace(':id', String(movieId)), server.url), {
      method,
      headers,
      body,
    })
    const text = await response.text()
    expect(text).not.toMatch(INSIDE)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const { error } = JSON.parse(text) as { error: unknown }
    return { status: response.status, error }
  }
  return {
    server: () => server,
    alice: () => alice,
    send,
    unexpected: () => server.logLines().filter(({ level }) => level === 'error'),
  }
}
