import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createFilledDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { newKey } from '../support/keys'
import { startTestServer, type TestServer } from '../support/server'
import { staysSo, until } from '../support/until'

// A start takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const isEmbedded = testDatabaseUrl === undefined
const onPostgres = test.skipIf(isEmbedded)
const needs = isEmbedded ? ' (skipped: needs TEST_DATABASE_URL, the embedded database has one instance)' : ''

describe(`two instances${needs}`, () => {
  let database: TestDatabase
  let server: TestServer
  let other: TestServer
  beforeAll(async () => {
    if (isEmbedded) return
    database = await createFilledDatabase()
    server = await startTestServer({}, { database })
    other = await startTestServer({}, { database })
  })
  afterAll(async () => {
    await other?.stop()
    await server?.stop()
    await database?.drop()
  })
  /** The guard alone: an id that isn't a number needs no query. */
  const guardOnly = async (on: TestServer, token: string) =>
    (await on.request('GET', '/v1/movies/abc', { token })).status

  onPostgres('accept a new key at once, even if its owner is cached', async () => {
    const user = await server.newUser()
    for (let round = 0; round < 10; round++) {
      for (const on of [server, other]) expect(await guardOnly(on, user.token)).toBe(404)
      const { key } = await newKey(server, user)
      expect([await guardOnly(other, key), await guardOnly(server, key)]).toEqual([404, 404])
    }
  })

  onPostgres('both refuse a key within a second after any kind of end', async () => {
    const ends: ((key: { id: number }, user: { id: number; token: string }) => Promise<unknown>)[] = [
      ({ id }, { token }) => server.request('DELETE', `/v1/keys/${id}`, { token }),
      ({ id }) => server.sql`delete from keys where id = ${id}`,
      (_, { id }) => server.sql`delete from users where id = ${id}`,
      () => server.sql`truncate keys`,
    ]
    for (const end of ends) {
      const user = await server.newUser()
      const made = await newKey(server, user)
      for (const on of [server, other]) expect(await guardOnly(on, made.key)).toBe(404)
      await end(made, user)
      for (const on of [server, other]) await until(async () => (await guardOnly(on, made.key)) === 401)
    }
  })

  onPostgres('need no query for a key that both know', async () => {
    const { key } = await newKey(server, await server.newUser())
    // The announcement of the new key may still be on its way, and makes each drop the owner once.
    const known = async () => (await guardOnly(server, key)) === 404 && (await guardOnly(other, key)) === 404
    await staysSo(known, 300)
    await server.sql.begin(async (tx) => {
      await tx`lock table keys, users, users_permissions in access exclusive mode`
      for (const on of [server, other]) expect(await guardOnly(on, key)).toBe(404)
    })
  })
})
