import { afterAll, beforeAll, expect } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { aMovie, startTestServer, type TestServer, type TestUser } from './server'

export type MovieAnswer = { movie: MovieJson; error: string | Record<string, string>; message: string }
type Asked = Parameters<TestServer['request']>[2]

// Password hashes, addresses, SQL, database messages, paths and stack traces, which no response may contain.
const LEAKS =
  /\$argon2|@example\.com|insert into|returning|select .*from|violates|constraint|drizzle|postgres|\/work\/|\/src\/|\.ts:|node_modules|\n\s*at /i

export const thisYear = new Date().getUTCFullYear()
export const CONFLICT = 'unable to update the record due to an edit conflict, please try again'
export const NOT_FOUND = 'the requested resource could not be found'
export const LIST = 'must be a list, such as ["one", "two"]'
export const UNKNOWN = 'is not a known field'
export const OUT_OF_YEARS = `must be between 1888 and ${thisYear + 5}`

/** In a path, these name no movie. */
export const NO_IDS = ['0', '-1', '01', '1.5', 'abc', '9223372036854775807', '9223372036854775808', '%00']

/** The service for the tests of one file, with users alice and mallory, and requests about movies. */
export function movieService() {
  let server: TestServer
  let alice: TestUser
  let mallory: TestUser
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser({ username: 'alice1' })
    mallory = await server.newUser({ name: 'Mallory' })
  })
  afterAll(() => server.stop())

  /** As alice, unless another token (or none) is given. */
  async function ask(method: string, path: string, asked: Asked = {}) {
    const answer = await server.request<MovieAnswer>(method, path, { token: alice.token, ...asked })
    expect(answer.text).not.toMatch(LEAKS)
    return answer
  }

  let titles = 0
  const newTitle = () => `Movie ${++titles}`
  const post = (more: object = {}) => ask('POST', '/v1/movies', { body: { ...aMovie(newTitle()), ...more } })
  async function newMovie(more: object = {}): Promise<MovieJson> {
    const { status, body, text } = await post(more)
    if (status !== 201) throw new Error(`no movie: ${status} ${text}`)
    return body.movie
  }
  return {
    server: () => server,
    alice: () => alice,
    mallory: () => mallory,
    ask,
    newTitle,
    post,
    patch: (id: number, body: object, headers = {}) => ask('PATCH', `/v1/movies/${id}`, { body, headers }),
    get: (id: number, headers = {}) => ask('GET', `/v1/movies/${id}`, { headers }),
    newMovie,
  }
}

export const refusal = ({ status, body }: { status: number; body: MovieAnswer }) => ({
  status,
  error: body.error,
})
