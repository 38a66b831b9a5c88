import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { seedMovies } from '../../src/catalogue/seed-store'
import type { Db } from '../../src/db/client'
import { createLog } from '../../src/log'
import movies from '../../src/movies/initial-movies.json'
import { MovieInput, type MovieJson } from '../../src/movies/model'
import { openDatabaseBesideServer } from '../../src/opening/open'
import { problemsOf } from '../../src/rules/objects'
import { databaseVariables, redlight } from '../support/command-line'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

type Body = { movies: MovieJson[]; metadata: { total_records: number }; movie: MovieJson; error: unknown }

describe('the file of initial movies', () => {
  test('has at least a hundred, each valid for the API', () => {
    expect(movies.length).toBeGreaterThanOrEqual(100)
    for (const movie of movies) {
      const broken = { ...problemsOf(MovieInput, movie, 'is not a known field') }
      expect({ title: movie.title, broken }).toEqual({ title: movie.title, broken: {} })
    }
  })

  test('spans the years from 1902 to today, without duplicates', () => {
    const years = movies.map(({ year }) => year).sort((a, b) => a - b)
    expect(years[0]).toBe(1902)
    expect(years.at(-1)).toBeGreaterThanOrEqual(2024)
    expect(new Set(years.map((year) => Math.floor(year / 10))).size).toBeGreaterThanOrEqual(12)
    expect(new Set(movies.map(({ title }) => title.normalize('NFC').toLowerCase())).size).toBe(movies.length)
  })
})

describe('seeding', () => {
  let database: TestDatabase
  let server: TestServer
  let alice: TestUser
  beforeAll(async () => {
    database = await createTestDatabase()
    server = await startTestServer({}, { database })
    // Only the embedded database gets the movies at its start.
    expect(await seed()).toBe(testDatabaseUrl === undefined ? 0 : movies.length)
    alice = await server.newUser()
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  async function withDb<T>(use: (db: Db) => Promise<T>): Promise<T> {
    const beside = await openDatabaseBesideServer(
      database.config,
      createLog('error', () => {}),
    )
    try {
      return await use(beside.db)
    } finally {
      await beside.close()
    }
  }
  const seed = () => withDb(seedMovies)
  const ask = (method: string, path: string, body?: unknown) =>
    server.request<Body>(method, path, { token: alice.token, body })
  const total = async () => (await ask('GET', '/v1/movies')).body.metadata.total_records

  test('gives every movie of the file to the built-in account', async () => {
    const pages = Array.from({ length: Math.ceil(movies.length / 100) }, (_, i) =>
      ask('GET', `/v1/movies?page_size=100&page=${i + 1}`),
    )
    const loaded = (await Promise.all(pages)).flatMap(({ body }) => body.movies)
    const created_by = { id: 1, name: 'Redlight' }
    expect<unknown>(loaded).toEqual(
      movies.map((movie, i) => ({ id: i + 1, ...movie, created_by, version: 1 })),
    )
    expect((await ask('GET', '/v1/movies?created_by=1&title=moana')).body.metadata.total_records).toBe(1)
    for (const method of ['PATCH', 'DELETE']) expect((await ask(method, '/v1/movies/1', {})).status).toBe(403)
  })

  test('again adds nothing, and does not restore deleted or renamed movies', async () => {
    expect(await seed()).toBe(0)
    expect(await total()).toBe(movies.length)
    await server.sql`delete from movies where title = 'Moana'`
    await server.sql`update movies set title = 'Another name' where title = 'Seven Samurai'`
    expect(await seed()).toBe(0)
    await server.stop()
    server = await startTestServer({}, { database })
    expect(await total()).toBe(movies.length - 1)
    const found = await server.sql`select title from movies where title in ('Moana', 'Seven Samurai')`
    expect([...found]).toEqual([])
  })

  test('skips a title that somebody else has used', async () => {
    await server.sql`delete from seeded_movies where title in ('Moana', 'City of God')`
    await server.sql`delete from movies where title = 'City of God'`
    expect((await ask('POST', '/v1/movies', aMovie('MOANA'))).status).toBe(201)
    expect(await seed()).toBe(1)
    expect((await ask('GET', '/v1/movies?title=moana')).body.movies).toMatchObject([{ title: 'MOANA' }])
    expect((await ask('GET', '/v1/movies?title=city+of+god')).body.movies).toMatchObject([
      { title: 'City of God', created_by: { id: 1 } },
    ])
  })

  test('by several processes at once loads each movie once', async () => {
    await server.sql`truncate movies, seeded_movies cascade`
    const added = await Promise.all([seed(), seed(), seed()])
    expect(added.sort((a, b) => a - b)).toEqual([0, 0, movies.length])
    expect(await total()).toBe(movies.length)
  })

  test('does not allow signing in as the built-in account', async () => {
    const [account] =
      await server.sql`select email, username, password_hash, activated from users where id = 1`
    expect({ ...account }).toEqual({ email: null, username: null, password_hash: null, activated: false })
    const names = [
      { username: 'Redlight' },
      { username: 'redlight' },
      { email: 'Redlight' },
      { email: 'null' },
    ]
    for (const name of names)
      for (const password of ['Redlight', 'null', ' ', '$argon2id$v=19$m=19456,t=2,p=1$$'])
        expect((await ask('POST', '/v1/tokens/authentication', { ...name, password })).status).toBe(401)
    for (const name of [{ username: '' }, { username: null }, { email: '' }, { email: null }, {}])
      expect((await ask('POST', '/v1/tokens/authentication', { ...name, password: 'null' })).status).toBe(422)
    for (const email of ['Redlight', 'redlight@localhost', 'null'])
      for (const path of ['/v1/tokens/password-reset', '/v1/tokens/activation'])
        expect((await ask('POST', path, { email })).status).toBe(422)
  })
})

describe('the initial movies', () => {
  let database: TestDatabase
  let server: TestServer
  beforeAll(async () => {
    database = await createTestDatabase()
    server = await startTestServer({}, { database })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })
  const run = (...args: string[]) => redlight(args, databaseVariables(database.config))
  const hints = () => server.logLines().filter(({ message }) => message.startsWith('the catalogue is empty'))

  test('are suggested in the log for a server’s database that never had any', async () => {
    const offered = testDatabaseUrl === undefined ? [] : [expect.stringContaining('"redlight seed" loads')]
    expect(hints().map(({ message }) => message)).toEqual(offered)
    await run('seed')
    await server.sql`delete from movies`
    await server.stop()
    server = await startTestServer({}, { database })
    expect(hints()).toEqual([])
  })

  test('are removed at once, without those of others, and don’t come back', async () => {
    await server.sql`delete from seeded_movies`
    await run('seed')
    const alice = await server.newUser()
    const others = [
      aMovie('An own one'),
      aMovie('Moana', { year: 1926 }),
      { ...movies[1], title: movies[1]?.title ?? '' },
    ]
    const [, , first] = others
    await server.sql`delete from movies where title in ('Moana', ${first?.title ?? ''})`
    for (const body of others)
      expect((await server.request('POST', '/v1/movies', { token: alice.token, body })).status).toBe(201)
    // Of a removed user.
    await server.sql`update movies set created_by = 1 where title in ('An own one', 'Moana')`

    expect(await run('movies', 'remove', '--initial', '--yes')).toMatchObject({
      code: 0,
      out: expect.stringContaining(`Removed ${movies.length - 2} initial`),
    })
    const left = await server.sql<{ title: string }[]>`select title from movies order by id`
    expect(left.map(({ title }) => title)).toEqual(others.map(({ title }) => title))
    expect((await run('seed')).out).toContain('There was nothing to add.')
    expect((await run('movies', 'remove', '--initial', '--yes')).out).toContain('Removed 0 initial')
    expect((await run('movies', 'remove', '--initial', '1')).code).toBe(2)
  })

  test('that somebody has changed or imported since are kept, and the command says so', async () => {
    await server.sql`truncate movies, seeded_movies cascade`
    await run('seed')
    const [moana, samurai] = ['Moana', 'Seven Samurai']
    const [patched] = await server.sql`
      update movies set synopsis = 'mine', version = 2 where title = ${samurai} returning title`
    expect(patched?.title).toBe(samurai)
    await server.sql`delete from movies where title = ${moana}`
    await server.sql`insert into movies (title, year, genres, external_id) values (${moana}, 2016, '{}', 'shop-1')`
    expect((await run('movies', 'remove', '--initial', '--yes')).out).toBe(
      `Removed ${movies.length - 2} initial movies; kept 2 of the same titles, changed or added since they were loaded.\n`,
    )
    const left = await server.sql<{ title: string }[]>`select title from movies order by title`
    expect(left.map(({ title }) => title)).toEqual([moana, samurai])
  })
})
