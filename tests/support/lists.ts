import { afterAll, beforeAll, expect } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { startTestServer, type TestServer, type TestUser } from './server'

export type Metadata = Record<
  'current_page' | 'page_size' | 'first_page' | 'last_page' | 'total_records',
  number
>
export type List = {
  movies: (MovieJson & { favourite?: boolean })[]
  metadata: Metadata
  error: Record<string, string>
}

const LEAKS =
  /\$argon2|@example\.com|tsquery|select .*from|drizzle|postgres|\/work\/|\/src\/|node_modules|\n\s*at /i

/** The service without movies for the tests of one file, and lists as alice. */
export function listService() {
  let server: TestServer
  let alice: TestUser
  let bob: TestUser
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser()
    bob = await server.newUser({ name: 'Bob' })
  })
  afterAll(() => server.stop())

  async function list(query: string) {
    const answer = await server.request<List>('GET', `/v1/movies${query}`, { token: alice.token })
    expect(answer.text).not.toMatch(LEAKS)
    return answer
  }
  return { server: () => server, alice: () => alice, bob: () => bob, list }
}
