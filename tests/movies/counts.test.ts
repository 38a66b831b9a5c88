import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type postgres from 'postgres'
import { compareMovieCount, recountMovies } from '../../src/catalogue/counts-store'
import { connect, type Db, workTimeouts } from '../../src/db/client'
import { migrate } from '../../src/migrations/migrate'
import { openDatabaseBesideServer } from '../../src/opening/open'
import { quietLog } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import { ADMIN_PASSWORD, canStartPostgres, startPostgres } from '../support/postgres'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

type List = { metadata: { total_records: number } }
const total = async (path = '/v1/movies') =>
  (await server.request<List>('GET', path, { token: alice.token })).body.metadata.total_records
async function beside<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const database = await openDatabaseBesideServer(server.database.config, quietLog)
  try {
    return await work(database.db)
  } finally {
    await database.close()
  }
}
const compared = () => beside(compareMovieCount)
const exact = async () => {
  const { found, counted, wrongBlocks } = await compared()
  expect({ counted, wrongBlocks, total: await total() }).toEqual({
    counted: found,
    wrongBlocks: 0,
    total: found,
  })
  return found
}
const asReplica = (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
  server.sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await work(tx)
  })
const insert = (tx: postgres.ISql, from: number, to: number) =>
  tx`insert into movies (id, title, year, runtime, genres) overriding system value
     select n, 'Row ' || n, 2000, 90, '{drama}' from generate_series(${from}::int, ${to}::int) as n`

test('every trigger fires for replicated rows', async () => {
  const triggers = await server.sql`select tgname, tgenabled from pg_trigger where not tgisinternal`
  expect(triggers.length).toBeGreaterThan(5)
  expect(triggers.filter(({ tgenabled }) => tgenabled !== 'A' && tgenabled !== 'R')).toEqual([])
})

test('rows written by a session in the role of a replica are counted once', async () => {
  await asReplica((tx) => insert(tx, 99_990, 100_009))
  expect(await exact()).toBe(20)
  await asReplica(async (tx) => {
    await tx`delete from movies where id in (99995, 100001, 100002)`
    await tx
      .savepoint(async (inner) => {
        await insert(inner, 1000, 1010)
        throw new Error('undone')
      })
      .catch(() => {})
    await tx`with gone as (delete from movies where id = 100003 returning id)
      insert into movies (title, year, runtime, genres) select 'Instead of ' || id, 2000, 90, '{a}' from gone`
  })
  expect(await exact()).toBe(17)
  await insert(server.sql, 200_000, 200_004)
  expect(await exact()).toBe(22)
  await asReplica((tx) => tx`truncate movies cascade`)
  expect(await exact()).toBe(0)
})

test('permissions changed by a replica or a TRUNCATE leave the cache', async () => {
  const bob = await server.newUser()
  const list = async () => (await server.request('GET', '/v1/movies', { token: bob.token })).status
  const untilListIs = (status: number) => until(async () => (await list()) === status)
  await untilListIs(200)
  await asReplica((tx) => tx`delete from users_permissions where user_id = ${bob.id}`)
  await untilListIs(403)
  await server.sql`insert into users_permissions values (${bob.id}, 'movies:read')`
  await untilListIs(200)
  await server.sql.begin(async (tx) => {
    const kept = await tx`select user_id, permission from users_permissions where user_id <> ${bob.id}`
    await tx`truncate users_permissions`
    for (const { user_id, permission } of kept)
      await tx`insert into users_permissions values (${user_id}, ${permission})`
  })
  await untilListIs(403)
})

describe('a wrong count', () => {
  const spoil =
    () => server.sql`insert into movie_counts (first_id, slot, movies) values (0, 15, 7), (300000, 0, -3)
    on conflict (first_id, slot) do update set movies = movie_counts.movies + excluded.movies`
  const doctor = async (...args: string[]) => {
    const { out } = await redlight(['doctor', '--json', ...args], databaseVariables(server.database.config))
    const { findings }: { findings: { area: string; status: string; what: string }[] } = JSON.parse(out)
    return findings.find(({ area }) => area === 'count')
  }

  test('is reported by the doctor, and corrected with --repair', async () => {
    const found = await exact()
    expect(await doctor()).toMatchObject({ status: 'ok' })
    await spoil()
    const wrong = `total_records was ${found + 4}, but there are ${found} movies`
    expect(await doctor()).toMatchObject({ status: 'warn', what: wrong })
    // The cache still has the correct total of the other list.
    expect(await total('/v1/movies?sort=year')).toBe(found + 4)
    expect(await doctor('--repair')).toMatchObject({ status: 'ok', what: `${wrong}: corrected` })
    expect(await doctor()).toMatchObject({ status: 'ok', what: `total_records is correct: ${found}` })
    expect(await exact()).toBe(found)
    expect(await total('/v1/movies?sort=year')).toBe(found)
  })

  test('is corrected during writes, by several at once', async () => {
    await spoil()
    let isDone = false
    let written = 0
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; !isDone || i < 5; i++) {
        const body = aMovie(`Written ${writer} ${i}`)
        const made = await server.request<{ movie: { id: number } }>('POST', '/v1/movies', {
          token: alice.token,
          body,
        })
        written++
        if (i % 3 === 0)
          await server.request('DELETE', `/v1/movies/${made.body.movie.id}`, { token: alice.token })
      }
    })
    await until(() => written >= 8)
    try {
      await beside((db) => Promise.all([1, 2, 3].map(() => recountMovies(db))))
    } finally {
      isDone = true
    }
    await Promise.all(writers)
    await exact()
  })
})

test.skipIf(!canStartPostgres)('movies that arrive by logical replication are counted', async () => {
  const cluster = await startPostgres({ wal_level: 'logical', max_connections: 60 })
  const names = ['publisher', 'subscriber'] as const
  try {
    for (const name of names) {
      await cluster.admin(`create database ${name}`, 'postgres')
      const url = cluster.url(name, { user: 'admin', password: ADMIN_PASSWORD })
      const work = connect({ url }, { poolMax: 1, log: quietLog, timeouts: workTimeouts })
      await migrate(work.db)
      await work.close()
    }
    const [from, to] = names.map((name) => cluster.connect(name))
    if (from === undefined || to === undefined) throw new Error('two databases were asked for')
    await insert(from, 1, 50)
    await from`create publication copies for table movies, favourites`
    // On the same server, the subscription can't create its own slot.
    await from`select pg_create_logical_replication_slot('copied', 'pgoutput')`
    const source = cluster.url('publisher', { user: 'admin', password: ADMIN_PASSWORD })
    await to.unsafe(`create subscription copied connection '${source}' publication copies
      with (create_slot = false, slot_name = 'copied')`)
    const arrived = async (movies: number) => {
      const row = await until(async () => {
        const [row] = await to`select (select count(*) from movies)::int as found,
          (select coalesce(sum(movies), 0) from movie_counts)::int as counted`
        return row?.found === movies && row
      })
      return row.counted
    }
    expect(await arrived(50)).toBe(50)
    await from.begin(async (tx) => {
      await insert(tx, 51, 300)
      await tx`delete from movies where id <= 20`
    })
    expect(await arrived(280)).toBe(280)
    // "row", and the numbers with more than one digit.
    const [known] = await to`select count(distinct word)::int as words from known_words`
    expect(known?.words).toBe(1 + 291)
    await from`truncate movies cascade`
    expect(await arrived(0)).toBe(0)
    await to`alter subscription copied disable`
    await Promise.all([from.end(), to.end()])
  } finally {
    await cluster.dispose()
  }
})
