import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type postgres from 'postgres'
import type { MovieJson } from '../../src/movies/model'
import { databaseVariables, redlight } from '../support/command-line'
import { testDatabaseUrl } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// A request that waits for a row while somebody else changes it must be judged by the changed row. The
// embedded database has one session, so nothing can change there between the read and the write.
describe.skipIf(testDatabaseUrl === undefined)('while a row is locked and changed', () => {
  const CONFLICT = 'unable to update the record due to an edit conflict, please try again'
  let server: TestServer
  let bob: TestUser
  let alice: TestUser
  let other: postgres.Sql
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser({ name: 'Alice' })
    bob = await server.newUser({ name: 'Bob' })
    other = server.database.connect()
  })
  afterAll(async () => {
    await other.end()
    await server.stop()
  })

  /** Makes a change and commits it once `act` waits for it. */
  async function whileHeld<T>(
    change: (sql: postgres.ISql) => PromiseLike<unknown>,
    act: () => Promise<T>,
  ): Promise<T> {
    let acting: Promise<T> | undefined
    await other.begin(async (sql) => {
      await change(sql)
      acting = act()
      const waits = () =>
        server.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      while ((await waits()).length === 0);
    })
    if (acting === undefined) throw new Error('it never began')
    return acting
  }

  let titles = 0
  const newMovie = async () => {
    const body = aMovie(`Held ${++titles}`)
    const asked = { token: alice.token, body }
    return (await server.request<{ movie: MovieJson }>('POST', '/v1/movies', asked)).body.movie
  }
  const ownerOf = async (id: number) =>
    (await server.sql`select created_by::int as owner from movies where id = ${id}`)[0]?.owner

  const guards: [method: string, headers: Record<string, string>, status: number][] = [
    ['DELETE', {}, 409],
    ['DELETE', { 'If-Match': '"1"' }, 412],
    ['DELETE', { 'If-Match': '*' }, 412],
    ['DELETE', { 'X-Expected-Version': '1' }, 409],
    ['PATCH', {}, 409],
    ['PATCH', { 'If-Match': '"1"' }, 412],
  ]
  test.each(guards)(
    '%s %j of a movie that gets a new owner is %i, and the movie stays',
    async (method, headers, status) => {
      // With SQL, so that the version stays the same.
      for (const version of [1, 2]) {
        const { id } = await newMovie()
        const answer = await whileHeld(
          (sql) => sql`update movies set created_by = ${bob.id}, version = ${version} where id = ${id}`,
          () =>
            server.request(method, `/v1/movies/${id}`, {
              token: alice.token,
              headers,
              body: method === 'PATCH' ? { year: 1999 } : undefined,
            }),
        )
        expect([answer.status, answer.body.error]).toEqual([status, CONFLICT])
        expect(await ownerOf(id)).toBe(bob.id)
      }
    },
  )

  test('deleting a movie that was deleted meanwhile is a 404', async () => {
    const { id } = await newMovie()
    const answer = await whileHeld(
      (sql) => sql`delete from movies where id = ${id}`,
      () => server.request('DELETE', `/v1/movies/${id}`, { token: alice.token }),
    )
    expect(answer.status).toBe(404)
  })

  test('deleting without a version deletes a movie that was changed meanwhile', async () => {
    const { id } = await newMovie()
    const answer = await whileHeld(
      (sql) => sql`update movies set year = 1999, version = version + 1 where id = ${id}`,
      () => server.request('DELETE', `/v1/movies/${id}`, { token: alice.token }),
    )
    expect([answer.status, await ownerOf(id)]).toEqual([200, undefined])
  })

  const run = (...args: string[]) => redlight(args, databaseVariables(server.database.config))
  const remove = (id: number) => (sql: postgres.ISql) => sql`delete from users where id = ${id}`

  const commands: [name: string, args: (user: TestUser, movie: number) => string[]][] = [
    ['users activate', ({ email }) => ['users', 'activate', email]],
    ['users grant', ({ email }) => ['users', 'grant', email, 'movies:write']],
    ['users remove', ({ email }) => ['users', 'remove', '--yes', email]],
    ['movies assign', ({ email }, movie) => ['movies', 'assign', String(movie), email]],
  ]
  test.each(commands)('%s of a user removed meanwhile reports an unknown user', async (_, args) => {
    const user = await server.newUser({ activated: false, permissions: [] })
    const { id } = await newMovie()
    expect(await whileHeld(remove(user.id), () => run(...args(user, id)))).toMatchObject({
      code: 1,
      out: '',
      error: expect.stringContaining(`there is no user "${user.email}"`),
    })
    expect(await ownerOf(id)).toBe(alice.id)
  })

  test.each([
    ['activation', false],
    ['password-reset', true],
  ])('a mail for %s requested by a user removed meanwhile is a 422', async (kind, activated) => {
    const { email, id } = await server.newUser({ activated })
    const answer = await whileHeld(remove(id), () =>
      server.request('POST', `/v1/tokens/${kind}`, { body: { email } }),
    )
    expect([answer.status, answer.body.error]).toEqual([422, { email: 'no matching email address found' }])
  })

  test('a movie added by a user while they are removed goes to Redlight as a new version', async () => {
    const dora = await server.newUser({ name: 'Dora' })
    const title = 'At the last moment'
    const removed = await whileHeld(
      (sql) =>
        sql`insert into movies (title, year, runtime, genres, created_by) values (${title}, 2000, 1, '{a}', ${dora.id})`,
      () => run('users', 'remove', '--yes', dora.email),
    )
    expect(removed.code).toBe(0)
    const [movie] = await server.sql`select created_by::int, version from movies where title = ${title}`
    expect(movie).toEqual({ created_by: 1, version: 2 })
  })
})
