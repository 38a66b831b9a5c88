import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createFilledDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import type { List } from '../support/lists'
import { startTestServer, type TestServer, type TestUser } from '../support/server'

const ADDRESS = '/v1/movies?genres=pair&sort=title&page_size=100'

describe('a list that was answered before', () => {
  let database: TestDatabase
  /** Two where several can share a database. */
  const servers: TestServer[] = []
  let alice: TestUser
  beforeAll(async () => {
    database = await createFilledDatabase()
    for (let i = 0; i < (testDatabaseUrl === undefined ? 1 : 2); i++)
      servers.push(await startTestServer({}, { database }))
    alice = await first().newUser({ name: 'Alice' })
    await first().sql`truncate movies restart identity cascade`
  })
  afterAll(async () => {
    for (const server of servers) await server.stop()
    await database.drop()
  })
  const first = () => servers[0] as TestServer
  const get = (path: string, headers: Record<string, string> = {}, user = alice) =>
    first().request<List>('GET', path, { token: user.token, headers })

  test('holds no answer from before a write was answered, and shows each write whole', async () => {
    const WRITERS = 6
    const ROUNDS = 25
    const { sql } = first()
    await sql`insert into movies (title, year, runtime, genres)
      select 'Pair ' || pair || ' ' || half, 1900, 90, '{pair}' from generate_series(0, ${WRITERS - 1}) as pair, unnest('{a,b}'::text[]) as half`
    const begun = Array<number>(WRITERS).fill(1900)
    const done = Array<number>(WRITERS).fill(1900)
    let isOver = false

    async function write(pair: number) {
      for (let round = 1; round <= ROUNDS; round++) {
        begun[pair] = 1900 + round
        await sql`update movies set year = ${1900 + round} where title in (${`Pair ${pair} a`}, ${`Pair ${pair} b`})`
        done[pair] = 1900 + round
      }
    }
    const wrong: unknown[] = []
    let answers = 0
    async function read(server: TestServer) {
      while (!isOver) {
        const before = [...done]
        const { body } = await server.request<List>('GET', ADDRESS, { token: alice.token })
        for (let pair = 0; pair < WRITERS; pair++) {
          const [a, b] = body.movies.slice(2 * pair, 2 * pair + 2).map(({ year }) => year)
          const isRight = a !== undefined && a === b && a >= Number(before[pair]) && a <= Number(begun[pair])
          if (!isRight) wrong.push({ pair, a, b, before: before[pair], begun: begun[pair] })
        }
        answers++
      }
    }
    const readers = [...servers, ...servers, ...servers].map(read)
    await Promise.all(Array.from({ length: WRITERS }, (_, pair) => write(pair)))
    isOver = true
    await Promise.all(readers)
    expect(wrong).toEqual([])
    expect(answers).toBeGreaterThan(WRITERS)
  })

  test('is not sent again while nothing has changed, whatever it was asked', async () => {
    const { sql } = first()
    const tagOf = async (path = ADDRESS, user = alice) => {
      const { status, headers } = await get(path, {}, user)
      expect(status).toBe(200)
      return headers.get('etag') ?? ''
    }
    const tag = await tagOf()
    expect(tag).toMatch(/^"[\w-]{22}"$/)
    const unchanged = await get(ADDRESS, { 'If-None-Match': `"other", W/${tag}` })
    expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', tag])
    expect(unchanged.headers.get('cache-control')).toBe('private, no-cache')
    expect(await tagOf(`${ADDRESS}&page_size=99`.replace('page_size=100&', ''))).not.toBe(tag)

    const changes: Record<string, () => Promise<unknown>> = {
      'a change of a movie': () => sql`update movies set runtime = 91 where id = 1`,
      'the name of a creator': () => sql`update users set name = 'Redlight itself' where id = 1`,
      'a new movie': () =>
        sql`insert into movies (title, year, runtime, genres) values ('Pair x', 2000, 1, '{pair}')`,
      'a movie that is removed': () => sql`delete from movies where title = 'Pair x'`,
      'a replicated change': () =>
        sql.begin(async (tx) => {
          await tx`set local session_replication_role = replica`
          await tx`update movies set runtime = 92 where id = 1`
        }),
      'all movies removed': () => sql`truncate movies restart identity cascade`,
    }
    let last = tag
    for (const [what, change] of Object.entries(changes)) {
      await change()
      const { status } = await get(ADDRESS, { 'If-None-Match': last })
      expect({ what, status }).toEqual({ what, status: 200 })
      last = await tagOf()
    }
  })

  test('is kept apart for each caller where it is about the caller', async () => {
    const bob = await first().newUser({ name: 'Bob' })
    const body = { title: 'Of Alice', year: 2000, runtime: '90 mins', genres: ['own'] }
    const { headers } = await first().request('POST', '/v1/movies', { token: alice.token, body })
    const titles = async (query: string, user: TestUser) =>
      (await get(`/v1/movies?${query}`, {}, user)).body.movies.map(({ title, favourite }) => [
        title,
        favourite,
      ])
    for (let i = 0; i < 2; i++) {
      expect(await titles('created_by=me', alice)).toEqual([['Of Alice', undefined]])
      expect(await titles('created_by=me', bob)).toEqual([])
    }
    const favourites = '/v1/users/me/favourites'
    const mine = '/v1/movies?include=favourite'
    const tags = await Promise.all(
      [favourites, mine].map(async (path) => (await get(path)).headers.get('etag') ?? ''),
    )
    await first().request('PUT', `${favourites}/${headers.get('location')?.split('/').at(-1)}`, {
      token: alice.token,
    })
    expect(await titles('include=favourite', alice)).toEqual([['Of Alice', true]])
    expect(await titles('include=favourite', bob)).toEqual([['Of Alice', false]])
    expect(await titles('favourite=true', bob)).toEqual([])
    for (const [i, path] of [favourites, mine].entries())
      expect((await get(path, { 'If-None-Match': tags[i] ?? '' })).status).toBe(200)
  })

  test('counts a broad search again after each change, and each search by itself', async () => {
    const { sql } = first()
    await sql`insert into movies (title, year, runtime, genres)
      select 'Broad ' || i, 1900 + i % 2, 90, '{broad}' from generate_series(1, 1200) as i`
    let size = 20
    /** Of a page that wasn't asked for before. */
    const count = async (query = '') => {
      const { body } = await get(`/v1/movies?q=broad&page_size=${size--}${query}`)
      expect(body.movies).toHaveLength(Math.min(size + 1, body.metadata.total_records))
      return body.metadata.total_records
    }
    for (let i = 0; i < 3; i++) expect(await count()).toBe(1200)
    expect(await count('&year_from=1900&title=broad')).toBe(1200)
    expect(await count('&year=1900')).toBe(600)
    expect(await count('&favourite=true')).toBe(0)
    await sql`delete from movies where title = 'Broad 7'`
    for (let i = 0; i < 2; i++) expect(await count()).toBe(1199)
    await sql`insert into movies (title, year, runtime, genres) values ('Broad 7', 1901, 90, '{broad}'), ('Zb', 1901, 90, '{broad}')`
    for (let i = 0; i < 2; i++) expect(await count()).toBe(1200)
  })
})
