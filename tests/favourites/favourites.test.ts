import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { NO_IDS } from '../support/movies'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

type Favourite = MovieJson & { favourited_at?: string; favourite?: boolean }
type Metadata = Record<'current_page' | 'page_size' | 'first_page' | 'last_page' | 'total_records', number>
type Body = { movies: Favourite[]; metadata: Metadata; movie: Favourite; error: unknown; message: string }
type Asked = Parameters<TestServer['request']>[2]

const PATH = '/v1/users/me/favourites'
const NOT_FOUND = { status: 404, error: 'the requested resource could not be found' }
const LEAKS = /\$argon2|@example\.com|violates|insert into|select .*from|drizzle|postgres|\/src\/|\n\s*at /i

let server: TestServer
let alice: TestUser
let bob: TestUser
let carol: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ permissions: ['movies:read'] })
  bob = await server.newUser({ name: 'Bob' })
  carol = await server.newUser({ name: 'Carol' })
  for (let i = 1; i <= 9; i++) {
    const date = i % 3 === 0 ? {} : { year: undefined, release_date: `200${i % 4}-0${i}-01` }
    const more = {
      runtime: `${100 + (i % 4)} mins`,
      genres: i % 2 ? ['Drama', 'crime'] : ['comedy'],
      ...date,
    }
    const details = i % 2 ? { director: `Dora ${i}`, cast: ['José Pão', `Name ${i}`] } : {}
    const token = i < 6 ? bob.token : carol.token
    await ask('POST', '/v1/movies', {
      token,
      body: aMovie(`Movie ${'cafebdihg'[i - 1]}`, { ...more, ...details }),
    })
  }
})
afterAll(() => server.stop())

/** As alice, who may only read, unless another token (or none) is given. */
async function ask(method: string, path: string, asked: Asked = {}) {
  const answer = await server.request<Body>(method, path, { token: alice.token, ...asked })
  expect(answer.text).not.toMatch(LEAKS)
  return answer
}
const put = (id: number | string, asked?: Asked) => ask('PUT', `${PATH}/${id}`, asked)
const remove = (id: number | string, asked?: Asked) => ask('DELETE', `${PATH}/${id}`, asked)
const refusal = ({ status, body }: Awaited<ReturnType<typeof ask>>) => ({ status, error: body.error })

/** The ids on a list, in order. */
async function favourites(query = '', asked: Asked = {}) {
  return (await ask('GET', PATH + query, asked)).body.movies.map(({ id }) => id)
}

describe('favourites', () => {
  test('are empty at first', async () => {
    const metadata = { current_page: 1, page_size: 20, first_page: 1, last_page: 1, total_records: 0 }
    expect((await ask('GET', PATH)).text).toBe(JSON.stringify({ movies: [], metadata }))
  })

  test('are added and removed, newest first, and keep their place when added again', async () => {
    const before = Date.now()
    const shown = (await ask('GET', '/v1/movies/3')).text
    for (const id of [3, 1, 2]) {
      const answer = await put(id)
      expect([answer.status, answer.body.movie.id]).toEqual([200, id])
    }
    expect((await put(3)).text).toBe(shown)
    const listed = await ask('GET', PATH)
    expect(listed.body.movies.map(({ id }) => id)).toEqual([2, 1, 3])
    expect(listed.body.metadata.total_records).toBe(3)
    const { favourited_at, ...movie } = listed.body.movies[2] ?? {}
    expect({ movie }).toEqual(JSON.parse(shown))
    expect(favourited_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(favourited_at ?? '')).toBeWithin(before - 2000, Date.now() + 2000)

    await server.sql`update favourites set added_at = added_at - interval '1 day' where movie_id = 3`
    const listBefore = (await ask('GET', PATH)).text
    expect((await put(3)).status).toBe(200)
    expect((await ask('GET', PATH)).text).toBe(listBefore)

    const removed = await remove(3)
    expect([removed.status, removed.text]).toEqual([200, '{"message":"movie removed from favourites"}'])
    expect(refusal(await remove(3))).toEqual(NOT_FOUND)
    expect(await favourites()).toEqual([2, 1])
    await put(3)
    expect(await favourites()).toEqual([3, 2, 1])
    expect(await favourites('?sort=-added')).toEqual([3, 2, 1])
    expect(await favourites('?sort=added')).toEqual([1, 2, 3])
    await server.sql`update favourites set added_at = now() where user_id = ${alice.id}`
    expect([await favourites(), await favourites('?sort=added')]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  test('are separate for each user', async () => {
    const asBob = { token: bob.token }
    expect(await favourites('', asBob)).toEqual([])
    await put(1, asBob)
    await put(9, asBob)
    expect(await favourites('', asBob)).toEqual([9, 1])
    expect(refusal(await remove(9))).toEqual(NOT_FOUND)
    expect(refusal(await remove(2, asBob))).toEqual(NOT_FOUND)
    await remove(1, asBob)
    expect(await favourites()).toEqual([1, 2, 3])
    expect((await ask('GET', '/v1/movies/1')).body.movie.version).toBe(1)
  })

  test('lose a movie that is deleted', async () => {
    const created = await ask('POST', '/v1/movies', { token: bob.token, body: aMovie('Short-lived') })
    const { id } = created.body.movie
    await put(id)
    await put(id, { token: carol.token })
    expect(await favourites()).toEqual([id, 1, 2, 3])
    await ask('DELETE', `/v1/movies/${id}`, { token: bob.token })
    expect([await favourites(), await favourites('', { token: carol.token })]).toEqual([[1, 2, 3], []])
    expect((await ask('GET', PATH)).body.metadata.total_records).toBe(3)
    expect([refusal(await put(id)), refusal(await remove(id))]).toEqual([NOT_FOUND, NOT_FOUND])
  })

  test('are filtered, sorted and paged as movies are', async () => {
    const asCarol = { token: carol.token }
    for (let id = 1; id <= 9; id++) await put(id, asCarol)
    const queries = [
      ...[
        '',
        'sort=-id',
        'sort=title',
        'sort=-title',
        'sort=year',
        'sort=-year',
        'sort=runtime',
        'sort=-runtime',
      ],
      ...[
        'sort=release_date',
        'sort=-release_date',
        'sort=-year&page_size=2&page=3',
        'page_size=4&page=9',
        'page_size=100',
      ],
      ...[
        'title=a',
        'title=MOVIE',
        'title=%3F',
        'title=%3F&year=2001',
        'genres=drama',
        'genres=CRIME,drama&sort=-title',
      ],
      ...[
        'director=dora',
        'cast=jose+pao',
        'year=2001',
        'release_date=2001-01-01',
        'release_date_from=2001-05-01',
      ],
      ...[
        'release_date_to=2001-05-01&sort=-release_date',
        'created_by=me',
        `created_by=${bob.id}`,
        'created_by=999',
      ],
      ...['genres=drama&created_by=me&page_size=1&page=2', 'title=&year=&sort='],
      ...['genres_any=drama,comedy', 'year_from=2001&year_to=2002', 'runtime_from=102&runtime_to=102'],
      ...['favourite=true', 'favourite=false', 'favourite=no', 'include=favourite&page_size=3', 'include=x'],
      ...['imdb_id=tt1234567', 'imdb_id=1', 'external_id=none', 'external_id=%5C'],
      ...[
        'page=0&page_size=101&year=x',
        'foo=1',
        'year=2001&year=2002',
        'title=%00',
        'release_date=2023-02-29',
      ],
    ]
    for (const query of queries) {
      const all = await ask('GET', `/v1/movies?${query}`, asCarol)
      const sorted =
        query.includes('sort=') && !query.endsWith('sort=') ? query : `${query.replace(/sort=$/, '')}&sort=id`
      const mine = await ask('GET', `${PATH}?${sorted}`, asCarol)
      const movies = mine.body.movies?.map(({ favourited_at, ...movie }) => movie)
      expect({ query, ...mine.body, ...(movies && { movies }) }).toEqual({ query, ...all.body })
      expect(mine.status).toBe(all.status)
    }
    await remove(4, asCarol)
    const given = async (query: string) =>
      (await ask('GET', `/v1/movies?include=favourite${query}`, asCarol)).body.movies
    expect((await given('')).map(({ id, favourite }) => [id, favourite])).toEqual(
      Array.from({ length: 9 }, (_, i) => [i + 1, i !== 3]),
    )
    expect(Object.keys((await given(''))[0] ?? {}).at(-1)).toBe('favourite')
    expect((await given('&favourite=false&sort=-year')).map(({ id }) => id)).toEqual([4])
    expect(await given('&favourite=true')).toHaveLength(8)
    await put(4, asCarol)
    const added = await ask('GET', `${PATH}?genres=drama&page_size=2&page=2`, asCarol)
    expect(added.body.movies.map(({ id }) => id)).toEqual([5, 3])
    expect(added.body.metadata).toMatchObject({ current_page: 2, last_page: 3, total_records: 5 })
    const at = (page: number, rel: string) => `<${PATH}?genres=drama&page_size=2&page=${page}>; rel="${rel}"`
    const links = [at(1, 'first'), at(1, 'prev'), at(3, 'next'), at(3, 'last')]
    expect(added.headers.get('link')).toBe(links.join(', '))
    expect((await ask('GET', '/v1/movies?sort=added', asCarol)).status).toBe(422)
    const { error } = refusal(await ask('GET', `${PATH}?sort=rating`))
    expect(error).toEqual({ sort: expect.stringMatching(/^must be one of added, -added, id, -id/) })
  })

  test.each([...NO_IDS, '999', '1e0', 'me'])('know no movie %s', async (id) => {
    expect(refusal(await put(id))).toEqual(NOT_FOUND)
    expect(refusal(await remove(id))).toEqual(NOT_FOUND)
  })

  test('ignore a body, and need the permission to read movies', async () => {
    const broken = { rawBody: '{', headers: { 'Content-Type': 'application/json' } }
    expect([(await put(5, broken)).status, (await remove(5, broken)).status]).toEqual([200, 200])
    const inactive = await server.newUser({ activated: false })
    const barred = await server.newUser({ permissions: [] })
    for (const [token, status] of [
      [undefined, 401],
      ['x.y.z', 401],
      [inactive.token, 403],
      [barred.token, 403],
    ] as const)
      for (const [method, path] of [
        ['GET', PATH],
        ['PUT', `${PATH}/1`],
        ['DELETE', `${PATH}/999`],
      ] as const)
        expect((await ask(method, path, { token })).status).toBe(status)
    const others = await ask('POST', `${PATH}/1`)
    expect([others.status, others.headers.get('allow')]).toEqual([405, 'DELETE, OPTIONS, PUT'])
  })
})
