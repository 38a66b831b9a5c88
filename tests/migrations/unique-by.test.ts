import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { readManifest } from '../../src/backup/read'
import { connect, workTimeouts } from '../../src/db/client'
import { setUniqueBy } from '../../src/migrations/unique-by'
import type { MovieJson } from '../../src/movies/model'
import { quietLog } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import {
  createFilledDatabase,
  createTestDatabase,
  type TestDatabase,
  testDatabaseUrl,
} from '../support/database'
import { failureOf } from '../support/embedded'
import { aMovie, startTestServer, type TestServer } from '../support/server'
import { until } from '../support/until'

// MOVIES_UNIQUE_BY: which movies count as the same, and how a catalogue changes between the rules.

setDefaultTimeout(240_000)

type Body = { movie: MovieJson; error: unknown }

let database: TestDatabase
let server: TestServer | undefined
beforeEach(async () => {
  database = await createFilledDatabase()
})
afterEach(async () => {
  await stop()
  await database.drop()
})

async function start(moviesUniqueBy: 'title' | 'title,year', more = {}) {
  server = await startTestServer({ moviesUniqueBy, ...more }, { database })
  const { request, sql, logLines } = server
  const { token } = await server.newUser()
  const warnings = logLines().flatMap(({ level, message }) =>
    level === 'warn' && /unique/i.test(message) ? message : [],
  )
  const post = (title: string, year: number) =>
    request<Body>('POST', '/v1/movies', { token, body: aMovie(title, { year }) })
  const patch = (id: number, body: object) => request<Body>('PATCH', `/v1/movies/${id}`, { token, body })
  return { post, patch, sql, warnings }
}
async function stop() {
  await server?.stop()
  server = undefined
}
const migrate = (by: string, config = database.config) =>
  redlight(['migrate'], { ...databaseVariables(config), MOVIES_UNIQUE_BY: by })

const KONG = 'King Kong'
const TAKEN = { title: 'a movie with this title already exists' }
const TAKEN_THAT_YEAR = { title: 'a movie with this title and year already exists' }
const indexes = (sql: Sql) =>
  sql<{ name: string; columns: number; isValid: boolean }[]>`
    select relname as name, indnatts::int as columns, indisvalid as "isValid" from pg_index join pg_class on oid = indexrelid
    where relname like 'movies_title_key%'`

describe('movies that are unique by title and year', () => {
  test('may share a title only in different years', async () => {
    const { post, patch, sql } = await start('title,year')
    const first = (await post(KONG, 1933)).body.movie
    const second = (await post(KONG, 1976)).body.movie
    expect(second).toMatchObject({ title: KONG, year: 1976 })
    const third = (await post(KONG, 2005)).body.movie
    for (const { status, body, headers } of [
      await post('KING  kong', 1976),
      await patch(third.id, { year: 1976 }),
    ])
      expect([status, body.error, headers.get('link')]).toEqual([
        422,
        TAKEN_THAT_YEAR,
        `</v1/movies/${second.id}>; rel="duplicate"`,
      ])
    expect((await patch(first.id, { title: 'KING KONG' })).body.movie.version).toBe(2)
    const together = await Promise.all(
      Array.from({ length: 20 }, (_, place) => post('At Once', 1950 + place)),
    )
    const stored = await sql`select id::int, year from movies where title = 'At Once' order by year`
    expect(together.map(({ body }) => ({ id: body.movie.id, year: body.movie.year }))).toEqual(
      stored.map(({ id, year }) => ({ id, year })),
    )
    expect([...(await indexes(sql))]).toEqual([{ name: 'movies_title_key', columns: 2, isValid: true }])
  })

  test('stay so after a restore', async () => {
    const { post } = await start('title,year')
    for (const year of [1933, 1976]) await post(KONG, year)
    await stop()
    const folder = await mkdtemp(join(tmpdir(), 'redlight-unique-'))
    const target = await createTestDatabase()
    try {
      const file = join(folder, 'a.backup')
      expect(await redlight(['backup', file], databaseVariables(database.config))).toMatchObject({
        code: 0,
        error: '',
      })
      expect(await readManifest(file)).toMatchObject({ unique_by: 'title,year' })
      expect(await redlight(['restore', file], databaseVariables(target.config))).toMatchObject({ code: 0 })
      const restored = await startTestServer({ migrateOnStart: false }, { database: target })
      expect([...(await indexes(restored.sql))]).toMatchObject([{ columns: 2 }])
      expect(await restored.sql`select 1 from movies where title = ${KONG}`).toHaveLength(2)
      await restored.stop()
    } finally {
      await target.drop()
      await rm(folder, { recursive: true })
    }
  })
})

describe('a catalogue with several movies of one title', () => {
  test('stays as it is if it should become unique by title, and the conflicts are named', async () => {
    const before = await start('title,year')
    for (const year of [1933, 1976]) await before.post(KONG, year)
    for (const year of [1920, 1940]) await before.post('Ann', year)
    await stop()

    const { post, sql, warnings } = await start('title')
    expect(warnings[0]).toMatch(
      /^MOVIES_UNIQUE_BY=title: several movies have one title: "Ann" \(movies \d+, \d+\), "King Kong" \(movies \d+, \d+\)\. /,
    )
    expect(warnings[1]).toStartWith('movies stay unique by title,year')
    expect([...(await indexes(sql))]).toEqual([{ name: 'movies_title_key', columns: 2, isValid: true }])
    expect((await post(KONG, 1976)).body.error).toEqual(TAKEN_THAT_YEAR)
    expect((await post(KONG, 2005)).status).toBe(201)

    const refused = await migrate('title')
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('"King Kong" (movies ')])
    expect([...(await indexes(sql))]).toMatchObject([{ columns: 2, isValid: true }])

    await sql`delete from movies where title in (${KONG}, 'Ann') and year <> 1920`
    const moved = await migrate('title')
    expect([moved.code, moved.out]).toEqual([0, expect.stringContaining('Movies are unique by title now.')])
    // The service follows the existing index, without a restart.
    expect((await post('ANN', 1921)).body.error).toEqual(TAKEN)
    expect([...(await indexes(sql))]).toEqual([{ name: 'movies_title_key', columns: 1, isValid: true }])
    expect((await migrate('title')).out).not.toContain('unique')
  })

  test('is not changed by a start without migrations, which says so', async () => {
    await start('title')
    await stop()
    const { post, warnings, sql } = await start('title,year', { migrateOnStart: false })
    expect(warnings).toEqual([
      'movies stay unique by title: MOVIES_UNIQUE_BY=title,year is not applied yet, run "redlight migrate"',
    ])
    await post(KONG, 1933)
    expect((await post(KONG, 1976)).body.error).toEqual(TAKEN)
    expect([...(await indexes(sql))]).toMatchObject([{ columns: 1 }])
  })
})

describe('a new unique index', () => {
  test('replaces one that was left half built', async () => {
    const { sql } = await start('title')
    await sql.unsafe('create unique index movies_title_key_new on movies (title_key(title), year)')
    await stop()
    const again = await start('title')
    expect([...(await indexes(again.sql))]).toEqual([{ name: 'movies_title_key', columns: 1, isValid: true }])
  })

  test.skipIf(testDatabaseUrl === undefined)(
    'does not block writers, and applies its rule while it is built',
    async () => {
      const { post, sql } = await start('title,year')
      const { config } = database
      if (config.kind !== 'postgres') throw new Error('this needs a server')
      const building = connect({ url: config.url }, { poolMax: 1, log: quietLog, timeouts: workTimeouts })
      const reading = await sql.reserve()
      await reading`begin isolation level repeatable read`
      await reading`select count(*) from movies`
      const built = setUniqueBy(building.db, 'title')
      await until(async () => (await indexes(sql)).length === 2)
      expect((await post('Meanwhile', 1990)).status).toBe(201)
      await reading`commit`
      reading.release()
      expect(await built).toBe(true)
      expect((await post('Meanwhile', 1991)).body.error).toEqual(TAKEN)

      await sql.unsafe(
        'create unique index movies_title_key_new on movies (title_key(title)) where year > 2000',
      )
      expect((await post('Before it takes its place', 2001)).status).toBe(201)
      await sql.unsafe('drop index movies_title_key')
      const refused = await post('Before it takes its place', 2002)
      expect([refused.status, refused.body.error]).toEqual([422, TAKEN])
      await building.close()
    },
  )

  test.skipIf(testDatabaseUrl === undefined)('is dropped if it can’t replace the old one', async () => {
    const { sql } = await start('title')
    const { config } = database
    if (config.kind !== 'postgres') throw new Error('this needs a server')
    const building = connect({ url: config.url }, { poolMax: 1, log: quietLog, timeouts: workTimeouts })
    await sql.unsafe('alter table movies rename column title to title_away')
    expect((await failureOf(setUniqueBy(building.db, 'title,year'))).message).toContain('title')
    await sql.unsafe('alter table movies rename column title_away to title')
    expect([...(await indexes(sql))]).toEqual([{ name: 'movies_title_key', columns: 1, isValid: true }])
    await building.close()
  })
})
