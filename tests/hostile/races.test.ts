import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type postgres from 'postgres'
import type { MovieJson } from '../../src/movies/model'
import { aMovie, PASSWORD, startTestServer, type TestServer, type TestUser } from '../support/server'
import { untilHashed } from '../support/until'

type Body = { movie: MovieJson; movies: MovieJson[]; metadata: { total_records: number }; error: unknown }
type Asked = Parameters<TestServer['request']>[2]

const LEAKS = /\$argon2|violates|duplicate key|insert into|select .*from|drizzle|postgres|\/src\/|\n\s*at /i
const CONFLICT = 'unable to update the record due to an edit conflict, please try again'

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

async function ask(method: string, path: string, asked: Asked = {}) {
  const answer = await server.request<Body>(method, path, { token: alice.token, ...asked })
  expect(answer.text).not.toMatch(LEAKS)
  return answer
}
const patch = (id: number, body: object, headers = {}) => ask('PATCH', `/v1/movies/${id}`, { body, headers })
const get = (id: number, headers = {}) => ask('GET', `/v1/movies/${id}`, { headers })

let titles = 0
const newTitle = () => `Movie ${++titles}`
const newMovie = async () => (await ask('POST', '/v1/movies', { body: aMovie(newTitle()) })).body.movie

describe('a version', () => {
  const ifMatch = (status: number, ...values: string[]) =>
    values.map((value): [Record<string, string>, number] => [{ 'If-Match': value }, status])
  const expected = (status: number, ...values: string[]) =>
    values.map((value): [Record<string, string>, number] => [{ 'X-Expected-Version': value }, status])
  const both = (tag: string, version: string) => ({ 'If-Match': tag, 'X-Expected-Version': version })

  /** Of a movie that is at version 2. */
  test.each([
    ...ifMatch(200, '"2"', '*', '"1", "2"', '"2","3"', 'W/"2", "2"', ', "2" ,,'),
    ...ifMatch(412, '"1"', '"3"', '"1", "3"', 'W/"2"', 'W/"2", W/"1"', '""', '"02"', '"2 "', '"1,2"'),
    ...ifMatch(412, '2', 'garbage', 'w/"2"', 'x"2"', '"2"x', '"2', '"1" "2"', '*, "1"', '**', '"*"', ''),
    ...expected(200, '2'),
    ...expected(409, '1', '3', '02', '2.0', '+2', '0x2', '2, 2', '"2"', '*', 'two', '-2', '9'.repeat(40), ''),
    ...[[both('"2"', '2'), 200] as const, [both('"2"', '1'), 409] as const, [both('*', '1'), 409] as const],
    ...[[both('"1"', '2'), 412] as const, [both('"1"', '1'), 412] as const, [both('x', 'y'), 412] as const],
  ])('guarded with %j answers %i', async (headers, status) => {
    const { id } = await newMovie()
    await patch(id, { synopsis: 'Second version.' })
    const patched = await patch(id, { synopsis: 'Third version.' }, headers)
    const deleted = await ask('DELETE', `/v1/movies/${id}`, {
      headers: status === 200 ? { 'If-Match': '"3"' } : headers,
    })
    expect([patched.status, deleted.status]).toEqual([status, status])
    if (status === 200) return expect((await get(id)).status).toBe(404)
    expect([patched.body, deleted.body].map(({ error }) => error)).toEqual([CONFLICT, CONFLICT])
    expect((await get(id)).body.movie).toMatchObject({ synopsis: 'Second version.', version: 2 })
  })

  test.each(['"1"', 'W/"1"', '*', '"0", "1"', '"0",W/"1"'])('known as %s is not sent again', async (tags) => {
    const { id } = await newMovie()
    const answer = await get(id, { 'If-None-Match': tags })
    expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', '"1"'])
    expect(answer.headers.get('content-type')).toBeNull()
    expect(answer.headers.get('vary')).toBe('Authorization')
    expect((await get(id + 1, { 'If-None-Match': tags })).status).toBe(404)
    expect((await get(id, { 'If-None-Match': tags.replaceAll(/1|\*/g, '2') })).status).toBe(200)
  })

  test.each(['1', 'garbage', '', '"2"', 'x"1"', 'w/"1"'])('known as %j is sent', async (tags) => {
    const { id } = await newMovie()
    expect((await get(id, { 'If-None-Match': tags })).body.movie.id).toBe(id)
  })
})

describe('of many at once', () => {
  const times = <T>(count: number, act: (i: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, i) => act(i)))
  /** The number of responses per status, and the messages of the refusals. */
  function tally(answers: { status: number; body: { error?: unknown } }[]) {
    const statuses: Record<number, number> = {}
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1
    const errors = answers.flatMap(({ body: { error } }) =>
      error === undefined ? [] : [JSON.stringify(error)],
    )
    return { statuses, errors: [...new Set(errors)].map((error): unknown => JSON.parse(error)) }
  }

  test.each([
    [{ 'If-Match': '"1"' }, 412],
    [{ 'X-Expected-Version': '1' }, 409],
    [{ 'If-Match': '"1"', 'X-Expected-Version': '1' }, 412],
  ])('12 patches guarded with %j, one wins', async (headers, status) => {
    for (let round = 0; round < 3; round++) {
      const { id } = await newMovie()
      const answers = await times(12, (i) => patch(id, { runtime: `${i + 1} mins` }, headers))
      expect(tally(answers)).toEqual({ statuses: { 200: 1, [status]: 11 }, errors: [CONFLICT] })
      const winner = answers.find((answer) => answer.status === 200)
      expect((await get(id)).text).toBe(winner?.text ?? '')
      expect(winner?.body.movie.version).toBe(2)
    }
  })

  test('12 patches without a condition, each successful one adds a version, and none is lost', async () => {
    const { id } = await newMovie()
    const answers = await times(12, (i) => patch(id, { runtime: `${i + 1} mins` }))
    const { statuses, errors } = tally(answers)
    const won = answers.filter(({ status }) => status === 200).map(({ body }) => body.movie)
    expect([statuses[200], statuses[409] ?? 0]).toEqual([won.length, 12 - won.length])
    if (won.length < 12) expect(errors).toEqual([CONFLICT])
    won.sort((a, b) => a.version - b.version)
    expect(won.map(({ version }) => version)).toEqual(won.map((_, i) => i + 2))
    expect<unknown>((await get(id)).body.movie).toEqual(won.at(-1))
  })

  test('12 deletions, one wins; and a conditional one never deletes a changed movie', async () => {
    const { id } = await newMovie()
    const answers = await times(12, () => ask('DELETE', `/v1/movies/${id}`))
    expect(tally(answers).statuses).toEqual({ 200: 1, 404: 11 })
    for (let round = 0; round < 6; round++) {
      const { id } = await newMovie()
      const headers = { 'If-Match': '"1"' }
      const [patched, deleted] = await Promise.all([
        patch(id, { runtime: '1 mins' }, headers),
        ask('DELETE', `/v1/movies/${id}`, { headers }),
      ])
      if (patched.status === 200) expect([deleted.status, (await get(id)).status]).toEqual([412, 200])
      else expect([[404, 412].includes(patched.status), deleted.status]).toEqual([true, 200])
    }
  })

  test('20 creations and 20 renamings to one title, one wins', async () => {
    const titles = ['Stra\u00dfe', 'STRASSE', 'stra\u00dfe', 'Strasse']
    const create = (i: number) => ask('POST', '/v1/movies', { body: aMovie(titles[i % 4] ?? '') })
    const error = { title: 'a movie with this title already exists' }
    expect(tally(await times(20, create))).toEqual({ statuses: { 201: 1, 422: 19 }, errors: [error] })
    const ids = await times(20, async () => (await newMovie()).id)
    const renamed = await times(20, (i) => patch(ids[i] ?? 0, { title: 'One title' }))
    expect(tally(renamed)).toEqual({ statuses: { 200: 1, 422: 19 }, errors: [error] })
  })

  // Simultaneous reads share a statement, which must not have started before a write was acknowledged.
  test('8 users who write and read in turn, each reads their own writes every time', async () => {
    const writers = Array.from({ length: 8 }, async (_, i) => {
      for (let round = 0; round < 15; round++) {
        const { id } = await newMovie()
        const title = `Read ${i} ${round}`
        const [found, list] = await Promise.all([get(id), ask('GET', '/v1/movies?sort=-id&page_size=100')])
        expect([found.status, list.body.movies.some((movie) => movie.id === id)]).toEqual([200, true])
        expect((await patch(id, { title })).status).toBe(200)
        const [changed, again] = await Promise.all([get(id), ask('GET', '/v1/movies?sort=-id&page_size=100')])
        expect(changed.body.movie.title).toBe(title)
        expect(again.body.movies.find((movie) => movie.id === id)?.title).toBe(title)
        await ask('DELETE', `/v1/movies/${id}`)
        expect((await get(id)).status).toBe(404)
      }
    })
    await Promise.all(writers)
  })

  test('8 devices of one user, each list has what that device added, and not what it removed', async () => {
    const user = await server.newUser()
    const ask = (method: string, path: string) => server.request<Body>(method, path, { token: user.token })
    const listed = async (id: number) => {
      const { body } = await ask('GET', '/v1/users/me/favourites?page_size=100')
      return body.movies.some((movie) => movie.id === id)
    }
    const devices = Array.from({ length: 8 }, async () => {
      const { id } = await newMovie()
      for (let round = 0; round < 15; round++) {
        await ask('PUT', `/v1/users/me/favourites/${id}`)
        expect(await listed(id)).toBe(true)
        await ask('DELETE', `/v1/users/me/favourites/${id}`)
        expect(await listed(id)).toBe(false)
      }
    })
    await Promise.all(devices)
  })

  test('20 requests to favourite one movie, it is one favourite', async () => {
    const { id } = await newMovie()
    const path = `/v1/users/me/favourites/${id}`
    expect(tally(await times(20, () => ask('PUT', path))).statuses).toEqual({ 200: 20 })
    expect((await ask('GET', '/v1/users/me/favourites')).body.metadata.total_records).toBe(1)
    expect(tally(await times(20, () => ask('DELETE', path))).statuses).toEqual({ 200: 1, 404: 19 })
  })

  test.each([
    ['email', 'Twin@Example.com', 'tWIN@example.com', 'a user with this email address already exists'],
    ['username', 'Twin', 'tWIN', 'a user with this username already exists'],
  ])('20 registrations of one %s, one wins', async (field, value, otherCase, message) => {
    const register = async (i: number) => {
      const twin = { name: 'Twin', email: `twin${i}@example.com`, username: `twin${i}`, password: PASSWORD }
      const body = { ...twin, [field]: i % 2 ? value : otherCase }
      return untilHashed(() => ask('POST', '/v1/users', { body }))
    }
    const statuses = { 201: 1, 422: 19 }
    expect(tally(await times(20, register))).toEqual({ statuses, errors: [{ [field]: message }] })
  })

  test('20 activations with one token, one wins', async () => {
    const { email } = await server.newUser({ activated: false })
    expect((await ask('POST', '/v1/tokens/activation', { body: { email } })).status).toBe(202)
    const token = await server.mailedToken(email)
    const answers = await times(20, () => ask('PUT', '/v1/users/activated', { body: { token } }))
    const errors = [{ token: 'invalid or expired activation token' }]
    expect(tally(answers)).toEqual({ statuses: { 200: 1, 422: 19 }, errors })
  })

  test('20 password resets with one token, one wins and sets the password', async () => {
    const { email } = await server.newUser()
    expect((await ask('POST', '/v1/tokens/password-reset', { body: { email } })).status).toBe(202)
    const token = await server.mailedToken(email)
    const passwords = Array.from({ length: 20 }, (_, i) => `a new long password ${i}`)
    const answers = await times(20, (i) =>
      untilHashed(() => ask('PUT', '/v1/users/password', { body: { token, password: passwords[i] } })),
    )
    const errors = [{ token: 'invalid or expired password reset token' }]
    expect(tally(answers)).toEqual({ statuses: { 200: 1, 422: 19 }, errors })
    const winner = answers.findIndex(({ status }) => status === 200)
    for (const [i, status] of [
      [winner, 201],
      [(winner + 1) % 20, 401],
    ] as const) {
      const body = { email, password: passwords[i] }
      expect((await ask('POST', '/v1/tokens/authentication', { body })).status).toBe(status)
    }
  })
})

describe('the number of movies', () => {
  /** The count of the triggers and the real one, from one snapshot. */
  async function counts(sql = server.sql) {
    const [row] = await sql<{ counted: number; there: number }[]>`
      select (select coalesce(sum(movies), 0) from movie_counts)::int as counted, (select count(*) from movies)::int as there`
    return row ?? { counted: -1, there: -2 }
  }
  const totalOf = async (query: string) => (await ask('GET', `/v1/movies?${query}`)).body

  const bulk = (sql: postgres.ISql, count: number) => sql`
    insert into movies (title, year, runtime, genres)
    select gen_random_uuid()::text, 2000, 1, '{bulk}' from generate_series(1, ${count}::int)`

  test('is exact for writes on any connection', async () => {
    for (let i = 0; i < 24; i++) {
      const sql = server.database.connect()
      await bulk(sql, 1)
      await sql.end()
    }
    const { counted, there } = await counts()
    expect(counted).toBe(there)
  })

  // Skips rows that another writer is deleting: waiting for each other would be a deadlock.
  const deleteSome = (sql: TestServer['sql'], which: string, limit = 1000) => sql`
    delete from movies where id in (
      select id from movies where ${sql.unsafe(which)} order by random() limit ${limit} for update skip locked)`

  test('is exact in every snapshot, with many writers at once', async () => {
    const connections = Array.from({ length: 5 }, () => server.database.connect())
    const [
      inserting = server.sql,
      deleting = inserting,
      mixed = inserting,
      rolling = inserting,
      watching = inserting,
    ] = connections
    const seen = { movies: 0, snapshots: 0, pages: 0, rollbacks: 0, deletions: 0 }
    const isEnough = () => Object.values(seen).every((times) => times > 30)
    const during = async (act: () => Promise<unknown>) => {
      while (!isEnough()) await act()
    }
    const create = () => ask('POST', '/v1/movies', { body: aMovie(newTitle()) })
    const createAndDelete = async () => {
      const { id } = (await create()).body.movie
      seen.movies++
      if ((await ask('DELETE', `/v1/movies/${id}`)).status === 200) seen.deletions++
    }
    const rollBack = async () => {
      const undone = rolling.begin(async (sql) => {
        await bulk(sql, 3)
        await sql`delete from movies where id in (select id from movies limit 2 for update skip locked)`
        throw new Error('rolled back')
      })
      await undone.catch(() => seen.rollbacks++)
    }
    await Promise.all([
      during(createAndDelete),
      during(createAndDelete),
      during(create),
      during(() => bulk(inserting, 7)),
      // Rarely those that are deleted above, or a busy machine would never see enough of them deleted there.
      during(() => deleteSome(deleting, "genres = '{bulk}'", 9)),
      during(async () => {
        await bulk(mixed, 4)
        await deleteSome(mixed, "genres = '{bulk}' and id % 2 = 0")
      }),
      during(rollBack),
      during(async () => {
        await deleteSome(inserting, 'id % 3 = 0')
        await inserting`insert into movies (title, year, runtime, genres) values ('same', 2000, 1, '{a}') on conflict do nothing`
      }),
      during(async () => {
        const { counted, there } = await counts(watching)
        expect(counted).toBe(there)
        seen.snapshots++
      }),
      during(async () => {
        const { movies, metadata } = await totalOf('page_size=100')
        expect(movies.length).toBe(Math.min(100, metadata.total_records))
        const bulky = await totalOf('page_size=100&genres=bulk')
        expect(bulky.movies.length).toBe(Math.min(100, bulky.metadata.total_records))
        seen.pages++
      }),
    ])
    const { counted, there } = await counts()
    expect([counted, (await totalOf('')).metadata.total_records]).toEqual([there, there])

    const [after] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, create)),
      deleting`truncate movies cascade`.then(() => 0),
      bulk(inserting, 5),
    ])
    expect(after.every(({ status }) => status === 201)).toBe(true)
    const end = await counts()
    expect([end.counted, (await totalOf('')).metadata.total_records]).toEqual([end.there, end.there])
    await server.sql`truncate movies cascade`
    expect([await counts(), (await totalOf('')).metadata.total_records]).toEqual([
      { counted: 0, there: 0 },
      0,
    ])
    await create()
    expect((await totalOf('')).metadata.total_records).toBe(1)
    await Promise.all(connections.map((connection) => connection.end()))
  })
})
