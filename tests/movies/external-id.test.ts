import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { testDatabaseUrl } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A platform synchronizes its movies by its own ids: GET and PUT /v1/movies/external/:external_id.

setDefaultTimeout(240_000)

type Body = { movie: MovieJson; movies: MovieJson[]; error: unknown }
type Asked = Parameters<TestServer['request']>[2]

const AT_ONCE = 20
const CONFLICT = 'unable to update the record due to an edit conflict, please try again'
const NOT_FOUND = 'the requested resource could not be found'
const NOT_CREATOR = 'only the user who created this movie can change it'
const NOT_JSON = 'the body must be JSON, sent with the header Content-Type: application/json'

let server: TestServer
let alice: TestUser
let mallory: TestUser
let reader: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
  mallory = await server.newUser({ name: 'Mallory' })
  reader = await server.newUser({ permissions: ['movies:read'] })
})
afterAll(() => server.stop())

const pathOf = (id: string) => `/v1/movies/external/${encodeURIComponent(id)}`
const ask = (method: string, path: string, asked: Asked = {}) =>
  server.request<Body>(method, path, { token: alice.token, ...asked })
const put = (id: string, body: object, headers = {}) => ask('PUT', pathOf(id), { body, headers })
const get = (id: string, headers = {}) => ask('GET', pathOf(id), { headers })
const refusal = ({ status, body }: Awaited<ReturnType<typeof ask>>) => ({ status, error: body.error })

let names = 0
const newName = () => `ours-${++names}`
const atOnce = <T>(act: (place: number) => Promise<T>) =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, place) => act(place)))

describe('a movie with an external id', () => {
  test('is created, found, changed and left unchanged', async () => {
    const id = newName()
    const made = await put(id, aMovie(`Movie ${id}`, { director: 'A', imdb_id: 'tt0000012345' }))
    expect([made.status, made.headers.get('etag')]).toEqual([201, '"1"'])
    const { movie } = made.body
    expect(made.headers.get('location')).toBe(`/v1/movies/${movie.id}`)
    expect(movie).toMatchObject({ external_id: id, imdb_id: 'tt0012345', director: 'A', version: 1 })
    for (const path of [pathOf(id), `/v1/movies/${movie.id}`]) {
      const found = await ask('GET', path)
      expect([found.status, found.text, found.headers.get('etag')]).toEqual([200, made.text, '"1"'])
    }
    expect((await get(id, { 'If-None-Match': '"1"' })).status).toBe(304)

    const again = await put(
      id,
      aMovie(`Movie ${id}`, { director: 'A', imdb_id: 'tt12345'.replace('tt', 'tt00') }),
    )
    expect([again.status, again.text, again.headers.get('location')]).toEqual([200, made.text, null])

    const changed = await put(id, aMovie(`Movie ${id}`, { cast: ['B'], external_id: id }))
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"'])
    const { director: _, imdb_id: __, ...kept } = movie
    expect<unknown>(changed.body.movie).toEqual({ ...kept, cast: ['B'], version: 2 })
    expect((await get(id)).text).toBe(changed.text)
  })

  test('that was imported without runtime and genres gets them, and PATCH keeps them', async () => {
    const id = newName()
    await server.sql`
      insert into movies (title, year, genres, external_id, created_by)
      values (${id}, 1990, '{}', ${id}, ${alice.id})`
    const { movie } = (await get(id)).body
    expect(Object.keys(movie)).toEqual([
      'id',
      'title',
      'year',
      'genres',
      'external_id',
      'created_by',
      'version',
    ])
    expect(movie.genres).toEqual([])
    const patch = (body: object) => ask('PATCH', `/v1/movies/${movie.id}`, { body })
    expect((await patch({ synopsis: 'A.' })).body.movie).toEqual({ ...movie, synopsis: 'A.', version: 2 })
    expect(refusal(await patch({ runtime: null, genres: [] }))).toEqual({
      status: 422,
      error: { runtime: 'must be provided', genres: 'must contain at least 1 entry' },
    })
    expect((await put(id, aMovie(id))).body.movie).toMatchObject({ runtime: '101 mins', version: 3 })
  })

  test.each(['a b', 'ünï/ çode'.replace('/', ''), '100%', 'a+b', '%41', '?x#y', '…', 'A', 'a', '"'])(
    'has it exactly, percent-encoded in the path: %j',
    async (id) => {
      const { status, body } = await put(id, aMovie(`Odd ${newName()}`))
      expect([status, body.movie.external_id]).toEqual([201, id])
      expect((await get(id)).body.movie).toEqual(body.movie)
      const listed = await ask('GET', `/v1/movies?external_id=${encodeURIComponent(id)}`)
      expect(listed.body.movies).toEqual([body.movie])
    },
  )

  test.each([
    [' a', 'must not start or end with white space'],
    ['a\u00a0', 'must not start or end with white space'],
    ['a\u0000', 'must not contain control characters'],
    ['a\u0085b', 'must not contain control characters'],
    ['a/b', 'must not contain a slash or a backslash'],
    ['x'.repeat(201), 'must not be more than 200 characters long'],
  ])('is refused when the rule forbids the id: %j', async (id, message) => {
    const NUL =
      message.includes('control') && id.includes('\0') ? 'must not contain a NUL character' : message
    expect(refusal(await put(id, aMovie(newName(), { year: 1 })))).toMatchObject({
      status: 422,
      error: { external_id: NUL, year: expect.stringContaining('must be between') },
    })
    expect(refusal(await get(id))).toEqual({ status: 404, error: NOT_FOUND })
  })

  test('is refused if the path is not UTF-8, or if dots or a backslash change it', async () => {
    const path = '/v1/movies/external/%ff'
    expect((await ask('PUT', path, { body: aMovie(newName()) })).status).toBe(422)
    expect((await ask('GET', path)).status).toBe(404)
    for (const id of ['', '%5C', 'a%5cb', 'a/b']) {
      expect((await ask('GET', `/v1/movies/external/${id}`)).status).toBe(404)
      expect((await ask('PUT', `/v1/movies/external/${id}`, { body: {} })).status).toBe(404)
    }
  })

  test('refuses another id in the body, together with all other problems', async () => {
    const id = newName()
    const error = {
      external_id: 'must be the one in the path, or left out',
      title: 'must not be empty',
      rating: 'is not a known field',
    }
    for (const other of ['other', id.toUpperCase(), '', 5, [id]])
      expect(refusal(await put(id, { ...aMovie(''), external_id: other, rating: 1 }))).toEqual({
        status: 422,
        error,
      })
    expect((await get(id)).status).toBe(404)
    expect((await put(id, aMovie(id, { external_id: null }))).status).toBe(201)
  })

  test('is found in the list, by its IMDb id too', async () => {
    const id = newName()
    const { movie } = (await put(id, aMovie(id, { imdb_id: 'tt00777777' }))).body
    for (const query of ['imdb_id=tt0777777', 'imdb_id=tt0000777777', `external_id=${id}&imdb_id=tt0777777`])
      expect((await ask('GET', `/v1/movies?${query}`)).body.movies).toEqual([movie])
    expect((await ask('GET', '/v1/movies?external_id=OURS-1')).body.movies).toEqual([])
    for (const query of [
      'imdb_id=777777',
      'imdb_id=tt90000000',
      'external_id=a/b',
      'external_id=a&external_id=b',
    ])
      expect(Object.keys(Object((await ask('GET', `/v1/movies?${query}`)).body.error))).toEqual([
        query.split('=')[0] ?? '',
      ])
  })
})

describe('a condition', () => {
  test('If-None-Match: * only creates', async () => {
    const id = newName()
    expect((await put(id, aMovie(id), { 'If-None-Match': '*' })).status).toBe(201)
    const again = await put(id, aMovie(id), { 'If-None-Match': '*' })
    expect(refusal(again)).toEqual({ status: 412, error: CONFLICT })
    expect((await get(id)).body.movie.version).toBe(1)
  })

  test('If-Match changes only that version', async () => {
    const id = newName()
    for (const value of ['*', '"1"'])
      expect(refusal(await put(id, aMovie(id), { 'If-Match': value }))).toEqual({
        status: 412,
        error: CONFLICT,
      })
    await put(id, aMovie(id))
    expect((await put(id, aMovie(id, { year: 2000 }), { 'If-Match': '"1"' })).body.movie.version).toBe(2)
    expect((await put(id, aMovie(id), { 'If-Match': '"1"' })).status).toBe(412)
    expect((await put(id, aMovie(id), { 'X-Expected-Version': '1' })).status).toBe(409)
    expect((await put(id, aMovie(id), { 'If-Match': '*' })).body.movie.version).toBe(3)
  })

  test('is checked in the contract’s order', async () => {
    const id = newName()
    await put(id, aMovie(id))
    const stale = { 'If-Match': '"9"' }
    const json = { 'Content-Type': 'application/json' }
    const rows: [string | undefined, Record<string, string>, string, number, unknown][] = [
      [undefined, stale, '{', 401, 'you must be authenticated to access this resource'],
      [reader.token, stale, '{', 403, expect.stringContaining('permissions')],
      [mallory.token, stale, '{', 403, NOT_CREATOR],
      [mallory.token, { 'If-None-Match': '*' }, '{', 403, NOT_CREATOR],
      [alice.token, stale, '{', 412, CONFLICT],
      [alice.token, {}, '{', 415, NOT_JSON],
      [alice.token, json, '{', 400, 'body contains badly-formed JSON (at character 2)'],
      [alice.token, json, JSON.stringify(aMovie('')), 422, { title: 'must not be empty' }],
    ]
    for (const [token, headers, rawBody, status, error] of rows)
      expect(refusal(await ask('PUT', pathOf(id), { token, headers, rawBody }))).toEqual({ status, error })
    expect((await ask('GET', pathOf(id), { token: reader.token })).body.movie.version).toBe(1)
  })
})

describe('of 20 at once for one id', () => {
  test('one creates the movie, and the others with the same content get it', async () => {
    for (let round = 0; round < 3; round++) {
      const id = newName()
      const answers = await atOnce(() => put(id, aMovie(id, { cast: ['A'] })))
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(AT_ONCE - 1).fill(200), 201])
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect((await get(id)).body.movie.version).toBe(1)
    }
  })

  test('one creates the movie, and the others with different content change it', async () => {
    for (let round = 0; round < 3; round++) {
      const id = newName()
      const answers = await atOnce((place) =>
        put(id, aMovie(`${id} ${place}`, { runtime: `${place + 1} mins` })),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(AT_ONCE - 1).fill(200), 201])
      const versions = answers.map(({ body }) => body.movie.version).sort((a, b) => a - b)
      expect(versions).toEqual(Array.from({ length: AT_ONCE }, (_, place) => place + 1))
      for (const [place, { body }] of answers.entries())
        expect(body.movie).toMatchObject({ title: `${id} ${place}`, runtime: `${place + 1} mins` })
      const last = answers.find(({ body }) => body.movie.version === AT_ONCE)
      expect((await get(id)).text).toBe(last?.text ?? '')
    }
  })

  test('one creates it, and those that only create are refused', async () => {
    const id = newName()
    const answers = await atOnce(() => put(id, aMovie(id), { 'If-None-Match': '*' }))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(AT_ONCE - 1).fill(412)])
  })

  test('all of one user succeed and all of another are refused', async () => {
    const id = newName()
    const users = [alice, mallory]
    const answers = await atOnce((place) =>
      ask('PUT', pathOf(id), { token: users[place % 2]?.token, body: aMovie(id, { year: 1990 + place }) }),
    )
    const statuses = users.map((_, user) => [
      ...new Set(answers.flatMap(({ status }, at) => (at % 2 === user ? status : []))),
    ])
    expect(statuses.map((all) => all.sort())).toContainEqual([403])
    expect(statuses.map((all) => all.sort())).toContainEqual([200, 201])
  })

  test('those with another movie’s title are refused, and the others succeed', async () => {
    const [id, taken] = [newName(), newName()]
    const other = (await put(taken, aMovie(taken))).body.movie
    const answers = await atOnce((place) =>
      put(id, aMovie(place % 4 === 0 ? taken : id, { year: 1990 + place })),
    )
    for (const [place, { status, headers }] of answers.entries())
      if (place % 4 === 0)
        expect([status, headers.get('link')]).toEqual([422, `</v1/movies/${other.id}>; rel="duplicate"`])
      else expect([200, 201]).toContain(status)
  })

  test('nothing refuses the movie but another one, while it is deleted and created again', async () => {
    const id = newName()
    const statuses = new Set<number>()
    const writers = Array.from({ length: AT_ONCE }, async (_, place) => {
      for (let round = 0; round < 5; round++) {
        if (place % 4 !== 0) statuses.add((await put(id, aMovie(id))).status)
        else {
          const { status, body } = await get(id)
          if (status === 200) await ask('DELETE', `/v1/movies/${body.movie.id}`)
        }
      }
    })
    await Promise.all(writers)
    expect([...statuses].filter((status) => status !== 200 && status !== 201)).toEqual([])
  })

  test.skipIf(testDatabaseUrl === undefined)('a deadlock is no refusal: the movie is put again', async () => {
    const id = newName()
    const connection = server.database.connect()
    const tx = await connection.reserve()
    const insert = (number: ReturnType<typeof tx>, external_id: string | null) => tx`
      insert into movies (id, title, year, genres, external_id) overriding system value
      values ((${number}), ${newName()}, 1990, '{x}', ${external_id})`
    await tx`begin`
    await insert(tx`select nextval('movies_id_seq')`, id)
    const answer = put(id, aMovie(id))
    await until(async () => {
      const [waiting] = await server.sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      return waiting
    })
    // The one that waits has drawn it.
    await insert(tx`select last_value from movies_id_seq`, null)
    await tx`rollback`
    expect((await answer).status).toBe(201)
    tx.release()
    await connection.end()
  })
})
