import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect, workTimeouts } from '../../src/db/client'
import { createLog } from '../../src/log'
import { migrate } from '../../src/migrations/migrate'
import { migrations } from '../../src/migrations/migrations'
import { foldCase } from '../../src/rules/fields'
import { databaseVariables, redlight } from '../support/command-line'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { failureOf } from '../support/embedded'
import { aMovie, PASSWORD, startTestServer, type TestServer } from '../support/server'

// A Turkish database, in which lower('I') is ı; the embedded one has no locale, and must behave the same.

setDefaultTimeout(240_000)
const TURKISH = `locale_provider icu icu_locale 'tr-TR' template template0 encoding 'UTF8'`
const where = testDatabaseUrl === undefined ? 'the embedded database' : 'a Turkish database'

describe(`on ${where}`, () => {
  let server: TestServer
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase(TURKISH)
    server = await startTestServer({}, { database })
  })
  afterAll(async () => {
    await server.stop()
    await database.drop()
  })

  const register = (email: string, username: string) =>
    server.request('POST', '/v1/users', { body: { email, username, password: PASSWORD } })
  const signIn = (name: object) =>
    server.request('POST', '/v1/tokens/authentication', { body: { ...name, password: PASSWORD } })

  test('a registered user can sign in and is found, in any case', async () => {
    expect((await register('Ali.IRMAK@example.com', 'Iskender1')).status).toBe(201)
    for (const email of ['Ali.IRMAK@example.com', 'ali.irmak@example.com', 'ALI.IRMAK@EXAMPLE.COM'])
      expect((await signIn({ email })).status).toBe(201)
    for (const username of ['Iskender1', 'iskender1', 'ISKENDER1'])
      expect((await signIn({ username })).status).toBe(201)
    const environment = databaseVariables(database.config)
    for (const name of ['ALI.irmak@example.com', 'iSKENDER1'])
      expect(await redlight(['users', 'activate', name], environment)).toMatchObject({ code: 0, error: '' })
  })

  test('a name in another case is taken', async () => {
    expect((await register('irma@example.com', 'irmagard')).status).toBe(201)
    expect(await register('IRMA@example.com', 'another1')).toMatchObject({
      status: 422,
      body: { error: { email: 'a user with this email address already exists' } },
    })
    expect(await register('another@example.com', 'IRMAgard')).toMatchObject({
      status: 422,
      body: { error: { username: 'a user with this username already exists' } },
    })
  })

  test.each(['ırma@example.com', 'İrma@example.com', 'irma@example.com\u0307'])(
    '%s matches nobody',
    async (email) => {
      expect((await signIn({ email })).status).toBe(401)
    },
  )

  test('every character is folded as JavaScript folds it', async () => {
    let all = ''
    for (let i = 1; i < 0x20000; i++) if (i < 0xd800 || i > 0xdfff) all += String.fromCodePoint(i)
    const [row] = await server.sql`select lower(${all} collate "C") as folded`
    expect(row?.folded === foldCase(all)).toBe(true)
  })

  test('titles, genres and words work as everywhere', async () => {
    const { token } = await server.newUser()
    const add = async (title: string) =>
      (await server.request('POST', '/v1/movies', { token, body: aMovie(title, { genres: ['KISA MOVIE'] }) }))
        .status
    expect(await add('ILIK İklim')).toBe(201)
    expect(await add('ilik İKLIM')).toBe(422)
    expect(await add('ılık iklim')).toBe(201)
    // White space as JavaScript defines it; an ICU locale has more.
    for (const title of ['a b', 'a\u0085b', 'a\u001cb'])
      expect([title, await add(title)]).toEqual([title, 201])
    expect(await add('A\u3000 B')).toBe(422)
    for (const query of ['title=ILIK', 'title=ilik', 'genres=kisa movie', 'genres=KISA MOVIE']) {
      const answer = await server.request<{ metadata: { total_records: number } }>(
        'GET',
        `/v1/movies?${query}`,
        {
          token,
        },
      )
      expect([query, answer.body.metadata.total_records]).toEqual([query, query.startsWith('title') ? 2 : 5])
    }
  })
})

describe.skipIf(testDatabaseUrl === undefined)('the upgrade of a Turkish database', () => {
  const LAST_BEFORE = 9
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase(TURKISH)
  })
  afterAll(() => database.drop())

  test('names users who would be the same user, changes nothing, and continues once they are different', async () => {
    if (database.config.kind !== 'postgres') throw new Error('this needs a server')
    const log = createLog('error', () => {})
    const { url } = database.config
    const work = connect({ url }, { poolMax: 1, log, timeouts: workTimeouts })
    const sql = database.connect()
    await migrate(work.db, { migrations: migrations.slice(0, LAST_BEFORE) })
    await sql`insert into users (name, email, username, password_hash) values
      ('2', 'irma@example.com', 'irma2', 'x'), ('3', 'IRMA@example.com', 'IRMA3', 'x'),
      ('4', 'four@example.com', 'iris', 'x'), ('5', 'five@example.com', 'IRIS', 'x')`
    await sql`insert into movies (title, year, runtime, genres) values (${'A\u001cB'}, 2000, 90, '{drama}'), ('ordinary', 2000, 90, '{drama}')`
    const state = () =>
      Promise.all([
        sql`select * from users order by id`,
        sql`select * from movies order by id`,
        sql`select indexdef from pg_indexes where schemaname = 'public' order by indexname`,
        sql`select prosrc from pg_proc where pronamespace = 'public'::regnamespace order by oid::regprocedure::text`,
      ])
    const before = await state()

    const { error } = await redlight(['migrate'], databaseVariables(database.config))
    expect(error).toBe(
      'redlight migrate: users 2 and 3 have the same email address apart from case, users 4 and 5 have the same username apart from case: the locale of this database let that pass, and it can\'t stay. Change one of each in the table users, or run "redlight users remove ID"; nothing has been changed yet\n',
    )
    expect(await state()).toEqual(before)

    // As the previous release's `users remove` does; this one's needs the tables that the upgrade adds.
    await sql`delete from users where id = 3`
    await sql`update users set username = 'iris2' where id = 5`
    const [users, movies] = await state()
    expect(await migrate(work.db)).toBe(migrations.length - LAST_BEFORE)
    // Later migrations add columns.
    expect((await state()).slice(0, 2)).toMatchObject([users, movies])
    const insert = (title: string) =>
      sql`insert into movies (title, year, runtime, genres) values (${title}, 2000, 90, '{drama}')`
    await insert('a b')
    for (const title of ['a\u001cb', 'A  B', 'Ordinary'])
      expect(await failureOf(insert(title))).toMatchObject({ constraint_name: 'movies_title_key' })
    await sql.end()
    await work.close()
  })
})
