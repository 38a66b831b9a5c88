import { afterAll, beforeAll } from 'bun:test'
import { newKey } from './keys'
import { aMovie, startTestServer, type TestServer, type TestUser } from './server'

type Options = Parameters<typeof startTestServer>
export type OmdbBody = Readonly<Record<string, unknown>>
type Movies = readonly (readonly [title: string, more?: Record<string, unknown>])[]

/** A service with these movies, and a key to ask /omdb with. */
export function omdbService(movies: Movies = [], ...options: Options) {
  let server: TestServer
  let user: TestUser
  let key: string
  const ids = new Map<string, number>()
  async function add(title: string, more: Record<string, unknown> = {}): Promise<number> {
    const body = aMovie(title, more)
    const answer = await server.request('POST', '/v1/movies', { token: user.token, body })
    if (answer.status !== 201) throw new Error(`${title}: ${answer.status} ${answer.text}`)
    const { id } = Object(answer.body.movie)
    ids.set(title, id)
    return id
  }
  beforeAll(async () => {
    server = await startTestServer(...options)
    user = await server.newUser()
    key = (await newKey(server, user)).key
    for (const [title, more] of movies) await add(title, more)
  })
  afterAll(() => server.stop())

  /** With the key, unless there is one in the query or among the headers. */
  function ask(query: Record<string, string> | string, headers: Record<string, string> = {}) {
    const text = typeof query === 'string' ? query : String(new URLSearchParams(query))
    return server.request<OmdbBody>('GET', `/omdb?${text}`, { headers: { 'X-API-Key': key, ...headers } })
  }
  return {
    server: () => server,
    user: () => user,
    key: () => key,
    add,
    /** The id by which /omdb knows a movie that has none of IMDb. */
    synthetic: (title: string) => `tt${90_000_000 + (ids.get(title) ?? 0)}`,
    ask,
    /** The titles of a search, or the error. */
    async search(query: Record<string, string>): Promise<unknown> {
      const { body } = await ask(query)
      const found = body.Search
      return Array.isArray(found) ? found.map(({ Title }) => Title) : body.Error
    },
    /** The title of the one that is found, or the error. */
    async title(query: Record<string, string>): Promise<unknown> {
      const { body } = await ask(query)
      return body.Title ?? body.Error
    },
  }
}
