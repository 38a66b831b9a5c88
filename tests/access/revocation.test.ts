import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import postgres from 'postgres'
import { createAuthenticator } from '../../src/access/authenticator'
import type { Claims } from '../../src/access/jwt'
import type { Principal } from '../../src/permissions'
import { createFilledDatabase, type TestDatabase, testDatabaseUrl } from '../support/database'
import { PASSWORD, startTestServer, type TestServer, type TestUser } from '../support/server'
import { staysSo, until } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const isEmbedded = testDatabaseUrl === undefined
/** The embedded database has only one instance and no channel. */
const onPostgres = test.skipIf(isEmbedded)
const needs = isEmbedded ? ' (skipped: needs TEST_DATABASE_URL, the embedded database has one instance)' : ''

let database: TestDatabase
let server: TestServer
/** Another instance on the same PostgreSQL database; on the embedded one, the same instance. */
let other: TestServer
beforeAll(async () => {
  database = await createFilledDatabase()
  server = await startTestServer({}, { database })
  other = isEmbedded ? server : await startTestServer({}, { database })
})
afterAll(async () => {
  if (other !== server) await other.stop()
  await server.stop()
  await database.drop()
})

/** 200 for users who may read movies; the guard refuses all others. */
const read = async (on: TestServer, { token }: TestUser) =>
  (await on.request('GET', '/v1/movies', { token })).status
/** The guard alone: an id that isn't a number needs no query. */
const guardOnly = async (on: TestServer, { token }: TestUser) =>
  (await on.request('GET', '/v1/movies/abc', { token })).status

async function resetPassword(on: TestServer, user: TestUser) {
  const token = crypto.randomUUID().slice(0, 26)
  const hash = new Bun.CryptoHasher('sha256').update(token).digest()
  await on.sql`insert into tokens values (${hash}, ${user.id}, 'password-reset', now() + interval '1 hour')`
  const body = { token, password: 'another battery staple' }
  expect((await on.request('PUT', '/v1/users/password', { body })).status).toBe(200)
}
async function activate(on: TestServer, user: TestUser) {
  const token = crypto.randomUUID().slice(0, 26)
  const hash = new Bun.CryptoHasher('sha256').update(token).digest()
  await on.sql`insert into tokens values (${hash}, ${user.id}, 'activation', now() + interval '1 hour')`
  expect((await on.request('PUT', '/v1/users/activated', { body: { token } })).status).toBe(200)
}
async function signOut(on: TestServer, { token }: TestUser) {
  const answer = await on.request('DELETE', '/v1/tokens/authentication', { token })
  expect(answer).toMatchObject({ status: 200, body: { message: 'you are signed out everywhere' } })
}

type Change = {
  what: string
  activated?: boolean
  before: number
  after: number
  /** Through the API, so it applies at once on that instance; changes by SQL are announced like those of another instance. */
  isAtOnce: boolean
  change: (on: TestServer, user: TestUser) => Promise<unknown>
}
const changes: Change[] = [
  { what: 'a sign-out everywhere', before: 200, after: 401, isAtOnce: true, change: signOut },
  { what: 'a reset password', before: 200, after: 401, isAtOnce: true, change: resetPassword },
  { what: 'an activation', activated: false, before: 403, after: 200, isAtOnce: true, change: activate },
  {
    what: 'a taken permission',
    before: 200,
    after: 403,
    isAtOnce: false,
    change: (on, { id }) =>
      on.sql`delete from users_permissions where user_id = ${id} and permission = 'movies:read'`,
  },
  {
    what: 'a removed user',
    before: 200,
    after: 401,
    isAtOnce: false,
    change: (on, { id }) => on.sql`delete from users where id = ${id}`,
  },
  {
    what: 'an account closed again',
    before: 200,
    after: 403,
    isAtOnce: false,
    change: (on, { id }) => on.sql`update users set activated = false where id = ${id}`,
  },
]

describe('on the instance that made the change', () => {
  test.each(changes)('$what takes effect', async ({ activated, before, after, isAtOnce, change }) => {
    const [user, bystander] = [await server.newUser({ activated }), await server.newUser()]
    for (let i = 0; i < 3; i++) expect(await read(server, user)).toBe(before)
    expect(await read(server, bystander)).toBe(200)
    await change(server, user)
    if (isAtOnce) expect(await read(server, user)).toBe(after)
    else await until(async () => (await read(server, user)) === after)
    for (let i = 0; i < 3; i++) expect(await read(server, user)).toBe(after)
    expect(await read(server, bystander)).toBe(200)
  })

  test('a granted permission takes effect', async () => {
    const user = await server.newUser({ permissions: [] })
    expect(await read(server, user)).toBe(403)
    await server.sql`insert into users_permissions values (${user.id}, 'movies:read')`
    await until(async () => (await read(server, user)) === 200)
  })

  test('a sign-out ends every token of the user, and the next sign-in works', async () => {
    const user = await server.newUser()
    const second = { ...user, token: await server.signIn(user.email) }
    expect(await read(server, second)).toBe(200)
    await signOut(server, user)
    expect([await read(server, user), await read(server, second)]).toEqual([401, 401])
    expect(await read(server, { ...user, token: await server.signIn(user.email, PASSWORD) })).toBe(200)
  })

  test('a sign-out during other requests applies to all requests after its response', async () => {
    for (let round = 0; round < 10; round++) {
      const user = await server.newUser()
      const racing = Array.from({ length: 20 }, () => read(server, user))
      await signOut(server, user)
      const late = await Promise.all(Array.from({ length: 20 }, () => read(server, user)))
      expect(late).toEqual(Array(20).fill(401))
      for (const status of await Promise.all(racing)) expect([200, 401]).toContain(status)
    }
  })
})

describe(`on another instance, within a second${needs}`, () => {
  for (const { what, activated, before, after, change } of changes)
    onPostgres(`${what} takes effect`, async () => {
      const [user, bystander] = [await server.newUser({ activated }), await server.newUser()]
      for (let i = 0; i < 3; i++) expect(await read(other, user)).toBe(before)
      expect(await read(other, bystander)).toBe(200)
      await change(server, user)
      await until(async () => (await read(other, user)) === after)
      expect(await read(other, bystander)).toBe(200)
    })
})

describe('a request', () => {
  test.each(['', 'x', '9007199254740993'])(
    'forgets every user after the message "%s", which names no user',
    async (message) => {
      const user = await server.newUser()
      expect(await read(server, user)).toBe(200)
      // Not announced, so the cache answers.
      await server.sql.begin(async (tx) => {
        await tx`alter table users disable trigger users_notify`
        await tx`update users set token_generation = token_generation + 1 where id = ${user.id}`
        await tx`alter table users enable trigger users_notify`
      })
      await server.sql`select pg_notify('redlight_principal', ${message})`
      await until(async () => (await read(server, user)) === 401)
    },
  )

  test('with a known token needs no query for its user', async () => {
    const user = await server.newUser()
    for (const on of new Set([server, other])) expect(await guardOnly(on, user)).toBe(404)
    // While this lock is held, every query for a user waits; on the embedded database, every query waits.
    await server.sql.begin(async (tx) => {
      await tx`lock table users, users_permissions in access exclusive mode`
      for (const on of new Set([server, other])) {
        for (let i = 0; i < 50; i++) expect(await guardOnly(on, user)).toBe(404)
      }
    })
  })
})

describe(`while the listening connection is broken${needs}`, () => {
  const listeners = () =>
    server.sql`select pid from pg_stat_activity where datname = current_database() and query ilike 'listen %'`
  const cutListeners = async () => {
    for (const { pid } of await listeners()) await server.sql`select pg_terminate_backend(${pid})`
  }
  const listensAgain = () => until(async () => (await listeners()).length >= 2)
  /** Existing connections to the database stay; new ones are refused. */
  async function closeDoors(isClosed: boolean) {
    const [row] = await server.sql`select current_database() as name`
    const admin = postgres(testDatabaseUrl ?? '', { max: 1 })
    await admin.unsafe(`alter database ${row?.name} with allow_connections ${!isClosed}`)
    await admin.end()
  }

  /** By a connection that is open: on a busy machine the pool wants one more now and then, which is refused. */
  const readOpen = (on: TestServer, user: TestUser) =>
    until(async () => {
      const status = await read(on, user)
      return status !== 503 && status
    })

  /** While neither instance listens, both notice that this user lost all permissions. */
  async function unheard(user: TestUser, work = async () => {}) {
    for (const on of [server, other]) expect(await read(on, user)).toBe(200)
    await closeDoors(true)
    try {
      await cutListeners()
      await server.sql`delete from users_permissions where user_id = ${user.id}`
      for (const on of [server, other]) await until(async () => (await read(on, user)) === 403)
      await work()
    } finally {
      await closeDoors(false)
    }
    await listensAgain()
  }

  onPostgres('cached data is trusted for at most a second', async () => {
    await unheard(await server.newUser())
  })

  onPostgres('every request is checked in the database until it is back', async () => {
    await listensAgain()
    const user = await server.newUser()
    // Both have noticed, so the cache no longer counts.
    await unheard(user, async () => {
      for (let round = 0; round < 10; round++) {
        await server.sql`delete from users_permissions where user_id = ${user.id}`
        expect([await readOpen(server, user), await readOpen(other, user)]).toEqual([403, 403])
        await server.sql`insert into users_permissions values (${user.id}, 'movies:read')`
        expect([await readOpen(server, user), await readOpen(other, user)]).toEqual([200, 200])
      }
      await signOut(server, user)
      expect(await readOpen(other, user)).toBe(401)
    })
    const back = await server.newUser()
    // Nobody heard the announcements of these changes.
    for (const on of [server, other]) expect(await read(on, user)).toBe(401)
    // Users loaded before the channel is current aren't cached; it becomes current a moment after the connection listens.
    await staysSo(async () => (await guardOnly(other, back)) === 404, 300)
    for (const on of [server, other]) expect(await guardOnly(on, back)).toBe(404)
    await server.sql.begin(async (tx) => {
      await tx`lock table users, users_permissions in access exclusive mode`
      for (const on of [server, other]) expect(await guardOnly(on, back)).toBe(404)
    })
  })
})

describe('the authenticator', () => {
  function setUp() {
    const users = new Map<number, Principal>()
    const state = { loads: 0, isCurrent: true, delay: Promise.resolve() }
    const verify = async (token: string): Promise<Claims | undefined> => {
      const [userId = 0, tokenGeneration = 0] = token.split('.').map(Number)
      return token === 'forged' ? undefined : { userId, tokenGeneration, authTime: 0, exp: 0 }
    }
    const authenticator = createAuthenticator({
      jwt: { verify },
      isCurrent: () => state.isCurrent,
      findKey: async () => undefined,
      async load(userId) {
        state.loads++
        const found = users.get(userId)
        await state.delay
        return found
      },
    })
    const add = (id: number, tokenGeneration = 1) =>
      users.set(id, {
        id,
        name: 'x',
        username: null,
        activated: true,
        tokenGeneration,
        permissions: new Set(),
        keyIds: new Set(),
      })
    add(1)
    return { ...authenticator, users, state, add }
  }

  test('loads a user once for any number of concurrent and later requests', async () => {
    const { authenticate, state } = setUp()
    await Promise.all(Array.from({ length: 100 }, () => authenticate('1.1')))
    expect((await authenticate('1.1'))?.user.id).toBe(1)
    expect(state.loads).toBe(1)
    expect(await authenticate('1.2')).toBeUndefined()
    expect(await authenticate('forged')).toBeUndefined()
    expect(state.loads).toBe(1)
  })

  test('loads for every request while the channel is not current, and uses the cache once it is', async () => {
    const { authenticate, state, add } = setUp()
    await authenticate('1.1')
    state.isCurrent = false
    for (let i = 0; i < 10; i++) await authenticate('1.1')
    expect(state.loads).toBe(11)
    add(1, 2)
    expect(await authenticate('1.1')).toBeUndefined()
    expect((await authenticate('1.2'))?.user.id).toBe(1)
  })

  test('neither caches nor shares a load that a change overtook', async () => {
    for (const forgetting of ['forget', 'forgetAll'] as const) {
      const { authenticate, state, add, ...authenticator } = setUp()
      const { promise, resolve } = Promise.withResolvers<void>()
      state.delay = promise
      const early = authenticate('1.1')
      await new Promise<void>((resolve) => setImmediate(resolve))
      add(1, 2)
      authenticator[forgetting](1)
      const late = authenticate('1.1')
      resolve()
      expect((await early)?.user.tokenGeneration).toBe(1)
      expect(await late).toBeUndefined()
      expect(await authenticate('1.1')).toBeUndefined()
      expect(state.loads).toBe(2)
    }
  })

  test('caches at most 10,000 users', async () => {
    const { authenticate, state, add } = setUp()
    for (let id = 1; id <= 10_001; id++) add(id)
    for (let id = 1; id <= 10_001; id++) await authenticate(`${id}.1`)
    await authenticate('10001.1')
    expect(state.loads).toBe(10_001)
    await authenticate('1.1')
    expect(state.loads).toBe(10_002)
  })

  test('loads again after a failed load', async () => {
    const { authenticate, state } = setUp()
    const failing = Promise.reject<void>(new Error('the database is away'))
    state.delay = failing
    expect(await authenticate('1.1').catch((error: Error) => error.message)).toBe('the database is away')
    state.delay = Promise.resolve()
    expect((await authenticate('1.1'))?.user.id).toBe(1)
  })
})
