import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type postgres from 'postgres'
import type { MovieJson } from '../../src/movies/model'
import { testDatabaseUrl } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { staysSo, until } from '../support/until'

// Simultaneous writes share a statement, but not its failure.

setDefaultTimeout(240_000)

type Body = { movie: MovieJson; error: unknown }

const AT_ONCE = 40
const TAKEN = { title: 'a movie with this title already exists' }

let server: TestServer
let alice: TestUser
let bob: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ name: 'Alice' })
  bob = await server.newUser({ name: 'Bob', username: 'bob1' })
})
afterAll(() => server.stop())

const post = (body: object, { token } = alice) => server.request<Body>('POST', '/v1/movies', { token, body })
const patch = (id: number, body: object, { token } = alice) =>
  server.request<Body>('PATCH', `/v1/movies/${id}`, { token, body })
const get = async (id: number) =>
  (await server.request<Body>('GET', `/v1/movies/${id}`, { token: alice.token })).body.movie

let titles = 0
const newTitle = () => `Together ${++titles}`
const newMovies = (count: number) =>
  Promise.all(Array.from({ length: count }, async () => (await post(aMovie(newTitle()))).body.movie))
const atOnce = <T>(act: (place: number) => Promise<T>) =>
  Promise.all(Array.from({ length: AT_ONCE }, (_, place) => act(place)))

const odd = [
  { title: 'Quotes " and \\ back\\slashes \\u0041', genres: ['{drama}', 'a "b"', 'null', 'c\\d'] },
  { title: '映画 \u{1F3AC} Ó', director: "Robert'); drop table movies; --", cast: ['{}', 'NULL', '"', ' '] },
  { title: 'Tabs\tand\nlines', synopsis: '\u2028\u0001\u007f{"id":1}', cast: [] },
  { title: '{"title":"json"}', release_date: '2004-02-29', year: 2004, runtime: '100000 mins' },
]

describe('of movies written at the same moment', () => {
  test('each has its content and its creator', async () => {
    for (let round = 0; round < 3; round++) {
      const sent = await atOnce(async (place) => {
        const { title, ...more } = odd[place % odd.length] ?? { title: '' }
        const movie = aMovie(`${title} ${newTitle()}`, more)
        const creator = place % 3 === 0 ? bob : alice
        return { movie, creator, answer: await post(movie, creator) }
      })
      for (const { movie, creator, answer } of sent) {
        const { id } = answer.body.movie
        const created_by =
          creator === bob ? { id: bob.id, name: 'Bob', username: 'bob1' } : { id: alice.id, name: 'Alice' }
        expect<unknown>(answer.body.movie).toEqual({ id, ...movie, created_by, version: 1 })
        expect(answer.headers.get('location')).toBe(`/v1/movies/${id}`)
        expect(await get(id)).toEqual(answer.body.movie)
      }
      expect(new Set(sent.map(({ answer }) => answer.body.movie.id)).size).toBe(AT_ONCE)
    }
  })

  test('only those with a taken title are refused', async () => {
    const [taken] = await newMovies(1)
    const twice = newTitle()
    const titleAt = (place: number) =>
      place % 10 === 0 ? (taken?.title ?? '') : place % 10 === 5 ? twice : newTitle()
    const answers = await atOnce(async (place) => ({ place, ...(await post(aMovie(titleAt(place)))) }))
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused.map(({ status, body }) => [status, body.error])).toEqual(
      Array.from({ length: 7 }, () => [422, TAKEN]),
    )
    expect(refused.filter(({ place }) => place % 10 === 0).length).toBe(4)
    expect(refused.filter(({ place }) => place % 10 === 5).length).toBe(3)
  })

  test('only those of a removed user are refused', async () => {
    const carol = await server.newUser({ name: 'Carol' })
    await post(aMovie(newTitle()), carol)
    const goes = server.sql`delete from users where id = ${carol.id}`.then(() => undefined)
    const answers = await atOnce(async (place) => ({
      place,
      ...(await post(aMovie(newTitle()), place % 4 === 0 ? carol : alice)),
    }))
    await goes
    for (const { place, status } of answers) expect(place % 4 === 0 ? [201, 401] : [201]).toContain(status)
    expect((await post(aMovie(newTitle()), carol)).status).toBe(401)
  })
})

describe('of changes at the same moment', () => {
  test('each is made, for any fields, and nothing else changes', async () => {
    const movies = await newMovies(AT_ONCE)
    const changes: object[] = [
      { runtime: '7 mins' },
      { synopsis: 'Changed \\ "quoted".' },
      { cast: ['A', 'B'], director: 'C' },
      { release_date: '1999-12-31' },
      { genres: ['e', 'f'], runtime: '8 mins', year: 1950 },
    ]
    const answers = await atOnce((place) => patch(movies[place]?.id ?? 0, changes[place % 5] ?? {}))
    for (const [place, { status, body }] of answers.entries()) {
      expect(status).toBe(200)
      expect<unknown>(body.movie).toEqual({ ...movies[place], ...changes[place % 5], version: 2 })
      expect(await get(body.movie.id)).toEqual(body.movie)
    }
  })

  test('one per movie wins, and the others get a 409', async () => {
    const movies = await newMovies(4)
    const answers = await atOnce(async (place) => ({
      ...(await patch(movies[place % 4]?.id ?? 0, { runtime: `${place + 1} mins` })),
      runtime: `${place + 1} mins`,
    }))
    for (const [place, { id }] of movies.entries()) {
      const won = answers.filter((answer, at) => at % 4 === place && answer.status === 200)
      expect(won.map(({ body, runtime }) => body.movie.runtime === runtime)).not.toContain(false)
      const versions = won.map(({ body }) => body.movie.version).sort((a, b) => a - b)
      expect(versions).toEqual(won.map((_, at) => at + 2))
      expect(await get(id)).toEqual(
        won.find(({ body }) => body.movie.version === won.length + 1)?.body.movie as MovieJson,
      )
    }
  })

  test('only those to a taken title are refused', async () => {
    const [taken, ...movies] = await newMovies(AT_ONCE + 1)
    const answers = await atOnce((place) =>
      patch(movies[place]?.id ?? 0, { title: place % 4 === 0 ? taken?.title : newTitle() }),
    )
    for (const [place, { status, body }] of answers.entries())
      expect([status, body.error]).toEqual(place % 4 === 0 ? [422, TAKEN] : [200, undefined])
  })
})

// The embedded database has one session, so nobody else can lock anything.
describe.skipIf(testDatabaseUrl === undefined)('while somebody else', () => {
  /** Keeps the locks of `work` while `during` runs. */
  async function holding(
    work: (sql: postgres.TransactionSql) => Promise<unknown>,
    during: (sql: postgres.TransactionSql) => Promise<unknown>,
  ) {
    const other = server.database.connect()
    await other.begin(async (sql) => {
      await work(sql)
      await during(sql)
    })
    await other.end()
  }

  test('locks a movie, changes of others don’t wait for it', async () => {
    const [held, ...movies] = await newMovies(AT_ONCE + 1)
    const id = held?.id ?? 0
    let waiting: ReturnType<typeof patch> | undefined
    await holding(
      (sql) => sql`select from movies where id = ${id} for update`,
      async () => {
        waiting = patch(id, { runtime: '1 mins' })
        const answers = await atOnce((place) => patch(movies[place]?.id ?? 0, { runtime: '2 mins' }))
        expect(answers.map(({ status }) => status)).not.toContainAnyValues([409, 503])
        expect(await Promise.race([waiting, 'waits'])).toBe('waits')
      },
    )
    expect((await waiting)?.body.movie.version).toBe(2)
  })

  test('and a change wait for each other’s titles, both continue', async () => {
    const late = 'B title behind'
    const early = Array.from({ length: AT_ONCE }, (_, place) => `A title before ${place}`)
    const take = (sql: postgres.ISql, title: string) =>
      sql`insert into movies (title, year, runtime, genres) values (${title}, 2000, 1, '{drama}')`
    let waiting: Promise<{ status: number }[]> | undefined
    let taken: string | undefined
    await holding(
      (sql) => take(sql, late),
      async (sql) => {
        const titles = early.toSpliced(AT_ONCE / 2, 0, late)
        waiting = Promise.all(titles.map((title) => post(aMovie(title))))
        const waits = () => sql`select from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database()`
        await until(async () => (await waits()).length > 0)
        // Those in other statements are written by then.
        await staysSo(async () => (await waits()).length > 0, 300)
        const written = await sql<{ title: string }[]>`select title from movies`
        taken = early.find((title) => !written.some((movie) => movie.title === title))
        if (taken === undefined) throw new Error('no movie shares the statement that waits')
        // A deadlock: the one that has waited for a second gives way.
        await take(sql, taken)
        await sql`delete from movies where title = ${late}`
      },
    )
    const statuses = (await waiting)?.map(({ status }) => status)
    expect(statuses).toEqual(
      early.map((title) => (title === taken ? 422 : 201)).toSpliced(AT_ONCE / 2, 0, 201),
    )
  })
})
