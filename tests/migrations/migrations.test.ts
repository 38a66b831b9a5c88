import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { connect } from '../../src/db/client'
import { createLog } from '../../src/log'
import { migrate } from '../../src/migrations/migrate'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { startTestServer, type TestServer } from '../support/server'

const log = createLog('error', () => {})

describe('migrations', () => {
  test('are named, the first one for the movies table', async () => {
    const names = (await readdir('drizzle')).filter((name) => name.endsWith('.sql')).sort()
    expect(names[0]).toBe('0000_create_movies_table.sql')
    for (const name of names) expect(name).toMatch(/^\d{4}_[a-z]+(_[a-z]+)+\.sql$/)
  })

  test.skipIf(testDatabaseUrl === undefined)('run once when four instances start at once', async () => {
    const database = await createTestDatabase()
    if (database.config.kind !== 'postgres') throw new Error('this needs a server')
    const { url } = database.config
    const instances = Array.from({ length: 4 }, () => connect({ url }, { poolMax: 1, log }))
    const applied = await Promise.all(instances.map(({ db }) => migrate(db)))
    const total = (await readdir('drizzle')).filter((name) => name.endsWith('.sql')).length
    expect(applied.sort((a, b) => a - b)).toEqual([0, 0, 0, total])
    await Promise.all(instances.map((instance) => instance.close()))
    await database.drop()
  })
})

describe('the database itself', () => {
  let server: TestServer
  let database: TestDatabase
  beforeAll(async () => {
    server = await startTestServer()
    database = server.database
    expect(database).toBeDefined()
    await server.sql`insert into users (name, email, username, password_hash) values ('A', 'a@example.com', 'abc', 'x')`
    await server.sql`insert into movies (title, year, runtime, genres) values ('Straße  ab', 2000, 90, '{drama}')`
  })
  afterAll(() => server.stop())

  const refused: [what: string, statement: string, constraint: string][] = [
    [
      'a title that differs in case and spaces',
      "insert into movies (title, year, runtime, genres) values ('STRASSE AB', 2000, 90, '{a}')",
      'movies_title_key',
    ],
    [
      'an empty title',
      "insert into movies (title, year, runtime, genres) values ('', 2000, 90, '{a}')",
      'movies_title_check',
    ],
    [
      'a year before movies',
      "insert into movies (title, year, runtime, genres) values ('b', 1887, 90, '{a}')",
      'movies_year_check',
    ],
    [
      'a runtime of 0',
      "insert into movies (title, year, runtime, genres) values ('b', 2000, 0, '{a}')",
      'movies_runtime_check',
    ],
    [
      'six genres',
      "insert into movies (title, year, runtime, genres) values ('b', 2000, 90, '{a,b,c,d,e,f}')",
      'movies_genres_check',
    ],
    [
      'a release before movies',
      "insert into movies (title, year, runtime, genres, release_date) values ('b', 2000, 90, '{a}', '1887-12-31')",
      'movies_release_date_check',
    ],
    [
      'a director without a name',
      `insert into movies (title, year, runtime, genres, director) values ('b', 2000, 90, '{a}', '')`,
      'movies_director_check',
    ],
    [
      'a cast of 101',
      `insert into movies (title, year, runtime, genres, "cast") values ('b', 2000, 90, '{a}', array_fill('a'::text, '{101}'))`,
      'movies_cast_check',
    ],
    [
      'an empty synopsis',
      `insert into movies (title, year, runtime, genres, synopsis) values ('b', 2000, 90, '{a}', '')`,
      'movies_synopsis_check',
    ],
    [
      'an IMDb id that is not in normal form',
      "insert into movies (title, year, runtime, genres, imdb_id) values ('b', 2000, 90, '{a}', 'tt00000001')",
      'movies_imdb_id_check',
    ],
    [
      'a synthetic IMDb id',
      "insert into movies (title, year, runtime, genres, imdb_id) values ('b', 2000, 90, '{a}', 'tt90000000')",
      'movies_imdb_id_check',
    ],
    [
      'an external id that is a path',
      "insert into movies (title, year, runtime, genres, external_id) values ('b', 2000, 90, '{a}', 'a/b')",
      'movies_external_id_check',
    ],
    [
      'an empty poster',
      "insert into movies (title, year, runtime, genres, poster) values ('b', 2000, 90, '{a}', '')",
      'movies_poster_check',
    ],
    [
      'an unknown creator',
      "insert into movies (title, year, runtime, genres, created_by) values ('b', 2000, 90, '{a}', 999)",
      'movies_created_by_users_id_fk',
    ],
    [
      'an address in another case',
      "insert into users (name, email, password_hash) values ('B', 'A@EXAMPLE.com', 'x')",
      'users_email_key',
    ],
    [
      'a username in another case',
      "insert into users (name, email, username, password_hash) values ('B', 'b@example.com', 'ABC', 'x')",
      'users_username_key',
    ],
    [
      'a user without a password',
      "insert into users (name, email) values ('B', 'b@example.com')",
      'users_built_in_check',
    ],
    [
      'an unknown permission',
      "insert into users_permissions values (2, 'movies:eat')",
      'users_permissions_permission_check',
    ],
    [
      'a favourite of an unknown user',
      'insert into favourites (user_id, movie_id) values (999, 1)',
      'favourites_user_id_users_id_fk',
    ],
  ]
  test.each(refused)('refuses %s', async (_, statement, constraint) => {
    const error = await server.sql.unsafe(statement).then(
      () => undefined,
      (thrown) => thrown,
    )
    expect(error).toMatchObject({ constraint_name: constraint })
  })

  test('has validated every check', async () => {
    expect([...(await server.sql`select conname from pg_constraint where not convalidated`)]).toEqual([])
  })

  test('gives the movies of a removed user to the built-in account, and deletes everything else of theirs', async () => {
    const [user] =
      await server.sql`insert into users (name, email, password_hash) values ('C', 'c@example.com', 'x') returning id`
    const id = user?.id
    await server.sql`insert into movies (title, year, runtime, genres, created_by) values ('C movie', 2000, 90, '{a}', ${id})`
    await server.sql`insert into users_permissions values (${id}, 'movies:read')`
    await server.sql`insert into tokens values ('\\x00', ${id}, 'activation', now())`
    await server.sql`insert into mails (user_id, kind) values (${id}, 'activation')`
    await server.sql`insert into favourites (user_id, movie_id) select ${id}, id from movies`
    await server.sql`delete from users where id = ${id}`
    expect(await server.sql`select created_by::int from movies where title = 'C movie'`).toMatchObject([
      { created_by: 1 },
    ])
    for (const table of ['users_permissions', 'tokens', 'mails', 'favourites'])
      expect(await server.sql`select 1 from ${server.sql(table)} where user_id = ${id}`).toBeEmpty()
  })
})
