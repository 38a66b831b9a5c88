import { afterAll, beforeAll, expect } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentOf } from './backup'
import { databaseVariables, redlight } from './command-line'
import { createTestDatabase, type TestDatabase } from './database'
import { newKey } from './keys'
import { aMovie, startTestServer, type TestServer, type TestUser } from './server'
import { until } from './until'

/** A bit of everything that could get lost. */
async function fill({ request, newUser, sql }: TestServer) {
  const alice = await newUser({ name: 'Alice "the\n\t\\ first" 🎬', username: 'alice1' })
  const bob = await newUser({ name: 'Bob', permissions: ['movies:read'] })
  await newUser({ name: 'Carol', activated: false })
  const add = async (title: string, more = {}) => {
    const answer = await request<{ movie: { id: number } }>('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie(title, more),
    })
    return answer.body.movie.id
  }
  const odd = await add('Zoë’s \u2028 "Ünïcode" \\ 電影', {
    genres: ['a"b', 'c}d', 'NULL'],
    cast: ['Dwayne, "The Rock"', 'É'],
    release_date: '2001-12-31',
    synopsis: 'Two lines\nof text,\tand a {brace}.',
  })
  await request('PATCH', `/v1/movies/${odd}`, { token: alice.token, body: { director: 'Née' } })
  for (const id of [odd, 3, 1, 2]) await request('PUT', `/v1/users/me/favourites/${id}`, { token: bob.token })
  // The highest ids are deleted, and must not be assigned again.
  await request('DELETE', `/v1/movies/${await add('Gone')}`, { token: alice.token })
  await sql`update movies set created_at = '2001-02-03T04:05:06.123457Z' where id = ${odd}`
  await sql`insert into mails (user_id, kind, due_at) values (${bob.id}, 'password-reset', now() + interval '1 day')`
  await sql`insert into tokens (hash, user_id, scope, expires_at)
    values ('\\xabcdef0123456789', ${bob.id}, 'activation', now() + interval '1 day')`
  const { key } = await newKey({ request }, alice)
  const due = () => sql`select 1 from mails where sent_at is null and due_at <= now()`
  await until(async () => (await due()).length === 0)
  return { alice, bob, key }
}

export const run = (database: TestDatabase, ...args: string[]) =>
  redlight(args, databaseVariables(database.config))

/** A service for the tests of one file, and a backup made while it runs. */
export function backedUpService() {
  let folder: string
  let source: TestServer
  let users: { alice: TestUser; bob: TestUser; key: string }
  let file: string
  let content: Record<string, unknown>
  const databases: TestDatabase[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'redlight-backup-'))
    source = await startTestServer({}, { keepMovies: true })
    users = await fill(source)
    file = join(folder, 'source.backup')
    const taken = await run(source.database, 'backup', file)
    expect(taken).toMatchObject({ code: 0, error: '' })
    content = await contentOf(source.sql)
  })
  afterAll(async () => {
    await source.stop()
    for (const database of databases) await database.drop()
    await rm(folder, { recursive: true })
  })
  return {
    folder: () => folder,
    source: () => source,
    alice: () => users.alice,
    bob: () => users.bob,
    /** Alice's. */
    key: () => users.key,
    file: () => file,
    content: () => content,
    async newDatabase(create = createTestDatabase): Promise<TestDatabase> {
      const database = await create()
      databases.push(database)
      return database
    },
  }
}
