import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { findLogin } from '../../src/access/store'
import { connect, type Db, workTimeouts } from '../../src/db/client'
import { pinStatement } from '../../src/db/pins'
import { listFavourites } from '../../src/favourites/store'
import { createLog } from '../../src/log'
import { migrate } from '../../src/migrations/migrate'
import { parseMovie } from '../../src/search/json-store'
import type { MovieFilters, MovieList } from '../../src/search/query'
import { listMovies } from '../../src/search/store'
import { findUserByLogin } from '../../src/users/store'
import { createTestDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'

// PGlite has PostgreSQL's planner, but only a server has to cope with 100,000 movies.
const MOVIES = 100_000
const reason = testDatabaseUrl === undefined ? ' (skipped: needs TEST_DATABASE_URL)' : ''

describe.skipIf(testDatabaseUrl === undefined)(`no list of ${MOVIES} movies reads them all${reason}`, () => {
  let database: TestDatabase
  let client: postgres.Sql
  let db: Db
  const queries: { text: string; parameters: unknown[] }[] = []

  beforeAll(async () => {
    database = await createTestDatabase()
    if (database.config.kind !== 'postgres') throw new Error('this needs a server')
    const { url } = database.config
    const work = connect({ url }, { poolMax: 1, log: createLog('error', () => {}), timeouts: workTimeouts })
    await migrate(work.db)
    await work.close()
    client = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} })
    await client.unsafe(pinStatement)
    db = drizzle(client, { logger: { logQuery: (text, parameters) => queries.push({ text, parameters }) } })
    await load(client)
  }, 300_000)
  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  /** As the service plans it: for any values. */
  async function planOfLast(): Promise<string> {
    const query = queries.at(-1)
    if (query === undefined) throw new Error('nothing was asked')
    await client.unsafe(`prepare explained as ${query.text}`)
    const given = query.parameters.map((value) =>
      value === null ? 'null' : `'${String(value).replaceAll("'", "''")}'`,
    )
    const [row] = await client.unsafe(
      `explain (format json) execute explained${given.length === 0 ? '' : `(${given})`}`,
    )
    await client.unsafe('deallocate explained')
    const plan: unknown = row?.['QUERY PLAN']
    return typeof plan === 'string' ? plan : JSON.stringify(plan)
  }
  /** The names of the tables that the plan of the last query reads completely. */
  const tablesReadWhole = async () => seqScans(JSON.parse(await planOfLast()))

  const list = (filters: MovieFilters, more: Partial<MovieList<'id'>> = {}) => ({
    filters,
    sort: { key: 'id' as const, descending: false },
    page: 1,
    pageSize: 20,
    ...more,
  })
  const sorts = (['id', 'title', 'year', 'runtime', 'release_date'] as const).flatMap((key) =>
    [false, true].map((descending) => ({ key, descending })),
  )
  const searches: [string, MovieFilters][] = [
    ['q', { q: 'w77' }],
    ['q with a mistake', { q: 'w7x77 w1' }],
    ['q with a short last word', { q: 'w7777 w1' }],
    ['q of many words', { q: 'w7 w17 w7x77 w1777' }],
    ['q and year', { q: 'w7x77 w1', year: 1999 }],
    ['title', { title: 'w77' }],
    ['title of two words', { title: 'w1 w2' }],
    ['title and genre', { title: 'w3', genres: ['drama'] }],
    ['genre', { genres: ['g7'] }],
    ['director', { director: 'w77' }],
    ['cast', { cast: 'w77' }],
    ['release date', { releaseDate: '2000-01-01' }],
    ['a month of releases', { releaseDateFrom: '2000-01-01', releaseDateTo: '2000-01-31' }],
    ['some genres', { genresAny: ['g7', 'drama'] }],
    ['years', { yearFrom: 1998, yearTo: 1999 }],
    ['runtimes', { runtimeFrom: 100, runtimeTo: 101 }],
    ['favourite', { favouriteOf: 2 }],
    ['title and not favourite', { title: 'w77', notFavouriteOf: 2 }],
    ['year', { year: 1999 }],
    ['IMDb id', { imdbId: 'tt0000077' }],
    ['external id', { externalId: 'id-77' }],
    ['creator', { createdBy: 2 }],
    ['all at once', { title: 'w1', genres: ['drama'], director: 'w1', cast: 'w1', year: 1999 }],
  ]

  test.each(sorts)('sorted by %p', async (sort) => {
    for (const page of [1, 2500, 4990]) {
      await listMovies(db, { filters: {}, sort, page, pageSize: 20 })
      expect({ page, read: await tablesReadWhole() }).toEqual({ page, read: [] })
    }
  })

  test.each(searches)('searched by %s', async (_, filters) => {
    const relevance = { key: 'relevance' as const, descending: false }
    for (const sort of filters.q === undefined ? sorts : [...sorts, relevance]) {
      await listMovies(db, { ...list(filters), sort })
      expect({ sort, read: await tablesReadWhole() }).toEqual({ sort, read: [] })
    }
  })

  test.each(sorts)('all but the favourites, sorted by %p', async (sort) => {
    for (const page of [1, 2500, 4980]) {
      const filters = { notFavouriteOf: 2 }
      const { total } = await listMovies(db, { filters, marksFavouritesOf: 2, sort, page, pageSize: 20 })
      expect({ page, total, read: await tablesReadWhole() }).toEqual({ page, total: MOVIES - 100, read: [] })
    }
  })

  test.each(sorts)('a page from the end is the right one, sorted by %p', async (sort) => {
    const column = sort.key === 'title' ? 'title collate "und-x-icu"' : sort.key
    const order = `${column} ${sort.descending ? 'desc' : 'asc'} nulls last, id`
    for (const [page, pageSize] of [
      [2501, 20],
      [4999, 20],
      [5000, 20],
      [5001, 20],
      [1429, 70],
      [9, 1],
    ] as const) {
      const { rows, total } = await listMovies(db, { filters: {}, sort, page, pageSize })
      const expected = await client.unsafe(
        `select id from movies order by ${order} limit ${pageSize} offset ${(page - 1) * pageSize}`,
      )
      expect(total).toBe(MOVIES)
      expect(rows.map((json) => parseMovie(json).id)).toEqual(expected.map(({ id }) => Number(id)))
    }
  })

  test.each(['w1', 'w12', 'w123'])('the titles that begin with %p are in order', async (q) => {
    for (const [page, pageSize] of [
      [1, 20],
      [5, 20],
      [6, 20],
      [1, 100],
      [2, 100],
    ] as const) {
      const sort = { key: 'relevance' as const, descending: false }
      const { rows, total } = await listMovies(db, { filters: { q }, sort, page, pageSize })
      const expected = await client.unsafe(
        `select id from movies where title like '${q}%' order by year desc, id limit ${pageSize} offset ${(page - 1) * pageSize}`,
      )
      expect({ page, ids: rows.map((json) => parseMovie(json).id) }).toEqual({
        page,
        ids: expected.map(({ id }) => Number(id)),
      })
      const [found] = await client.unsafe(
        `select count(*) from movies where concat_ws(' ', title, director, array_to_string("cast", ' ')) ~ '\\m${q}'`,
      )
      expect(total).toBe(Number(found?.count))
    }
  })

  test.each([
    ['a sign-in by address', 'users_email_key', () => findLogin(db, { email: 'User77@Example.com' })],
    ['a sign-in by username', 'users_username_key', () => findLogin(db, { username: 'Name77' })],
    ['a command with an address', 'users_email_key', () => findUserByLogin(db, 'USER77@example.com')],
    ['a command with a username', 'users_username_key', () => findUserByLogin(db, 'NAME77')],
  ])('%s uses the index', async (_, index, find) => {
    expect(await find()).toMatchObject({ id: 78 })
    expect(await planOfLast()).toContain(`"${index}"`)
  })

  test('of favourites', async () => {
    for (const filters of [{}, { title: 'w1' }, { genres: ['drama'] }, { q: 'w1 w2x' }]) {
      await listFavourites(db, {
        userId: 2,
        list: { ...list(filters), sort: { key: 'added', descending: true } },
      })
      expect({ filters, read: await tablesReadWhole() }).toEqual({ filters, read: [] })
    }
  })
})

async function load(client: postgres.Sql) {
  await client.unsafe(`
    select setseed(0.5);
    insert into users (name, email, username, password_hash) select 'User ' || i, 'user' || i || '@example.com', 'name' || i, 'x' from generate_series(1, 2000) i;
    create function w() returns text language sql volatile as $$ select 'w' || floor(power(random(), 3) * 20000)::int $$;
    insert into movies (title, year, runtime, genres, director, "cast", release_date, created_by, imdb_id, external_id)
    select w() || ' ' || w() || ' ' || w() || ' ' || i, extract(year from day)::int, case when random() < 0.95 then 60 + floor(random() * 120)::int end,
      array['g' || floor(random() * 40)::int] || case when random() < 0.03 then '{drama}'::text[] else '{}' end,
      w() || ' ' || w(), array[w() || ' ' || w(), w() || ' ' || w()],
      case when random() < 0.9 then day end, 2 + floor(random() * 1000)::int,
      case when random() < 0.9 then 'tt' || lpad(i::text, 7, '0') end, case when i % 2 = 0 then 'id-' || i end
    from (select i, date '1900-01-01' + floor(random() * 46000)::int as day from generate_series(1, ${MOVIES}) i) as movies;
    insert into favourites (user_id, movie_id, added_at) select 2 + i % 1000, i, now() - i * interval '1 minute' from generate_series(1, ${MOVIES}) i;
  `)
  await client.unsafe('vacuum analyze')
}

/** Small tables, such as the sixteen rows that count the movies, may be read completely. */
function seqScans(plan: unknown): string[] {
  if (Array.isArray(plan)) return plan.flatMap(seqScans)
  if (typeof plan !== 'object' || plan === null) return []
  const own =
    'Node Type' in plan && plan['Node Type'] === 'Seq Scan' && 'Relation Name' in plan
      ? [String(plan['Relation Name'])]
      : []
  return [
    ...own.filter((name) => name === 'movies' || name === 'favourites'),
    ...Object.values(plan).flatMap(seqScans),
  ]
}
