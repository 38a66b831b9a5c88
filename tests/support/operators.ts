import { afterAll, beforeAll } from 'bun:test'
import type { Permission } from '../../src/permissions'
import { aMovie, startTestServer, type TestServer, type TestUser } from './server'

export type Event = {
  id: number
  at: string
  actor: { id: number; name: string } | null
  action: string
  subject: { kind: string; id: number | null; name: string }
  detail: Record<string, unknown>
  request_id: string | null
}
type Asked = Parameters<TestServer['request']>[2]
export const ALL: Permission[] = ['movies:read', 'movies:write', 'admin']
export const LAST_ADMIN = { permissions: 'must leave an activated admin' }

/** The service for the tests of one file, with an admin, and requests of theirs. */
export function operatedService(config: Parameters<typeof startTestServer>[0] = {}) {
  let server: TestServer
  let admin: TestUser
  beforeAll(async () => {
    server = await startTestServer(config)
    admin = await server.newUser({ name: 'Ada', permissions: ALL })
  })
  afterAll(() => server.stop())

  /** As the admin, unless another token is given. */
  const ask = (method: string, path: string, asked: Asked = {}) =>
    server.request<{ [key: string]: unknown; error: unknown }>(method, path, { token: admin.token, ...asked })

  async function newMovie(token: string, title: string = crypto.randomUUID()): Promise<number> {
    const answer = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token,
      body: aMovie(title),
    })
    return answer.body.movie.id
  }

  /** The events about a user or movie, oldest first. */
  async function eventsOf(subject: string): Promise<Event[]> {
    const answer = await server.request<{ events: Event[] }>(
      'GET',
      `/v1/audit?subject=${subject}&page_size=100`,
      {
        token: admin.token,
      },
    )
    if (answer.status !== 200) throw new Error(`no trail: ${answer.status} ${answer.text}`)
    return answer.body.events.reverse()
  }
  const actionsOf = async (subject: string) => (await eventsOf(subject)).map(({ action }) => action)

  return { server: () => server, admin: () => admin, ask, newMovie, eventsOf, actionsOf }
}
