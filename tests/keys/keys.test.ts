import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createKey, isKey } from '../../src/access/keys'
import { type KeyBody, makeKey, newKey } from '../support/keys'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { staysSo, until } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const INVALID = { error: 'invalid or missing authentication token' }
const NOT_PERMITTED = {
  error: "your user account doesn't have the necessary permissions to access this resource",
}
const NOT_FOUND = { error: 'the requested resource could not be found' }

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
  await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie('A Movie for Keys') })
})
afterAll(() => server.stop())

const list = async (user: TestUser) =>
  (await server.request<{ keys: KeyBody[] }>('GET', '/v1/keys', { token: user.token })).body.keys
const revoke = (user: TestUser, id: number | string) =>
  server.request('DELETE', `/v1/keys/${id}`, { token: user.token })
const read = (key: string, path = '/v1/movies/1') => server.request('GET', path, { token: key })
const statusOf = async (key: string, path?: string) => (await read(key, path)).status

describe('the form of a key', () => {
  test('is the prefix, 30 random letters and digits, and their checksum', () => {
    const keys = Array.from({ length: 500 }, createKey)
    for (const key of keys)
      expect([key, /^rl_[0-9A-Za-z]{36}$/.test(key), isKey(key)]).toEqual([key, true, true])
    expect(new Set(keys).size).toBe(500)
    expect(new Set(keys.map((key) => key[4])).size).toBeGreaterThan(40)
    expect(isKey('rl_0123456789ABCDEFGHIJKLMNOPQRST4PMbyp')).toBe(true)
  })

  test('fails at every changed character', () => {
    const key = createKey()
    for (let place = 0; place < key.length; place++)
      for (const other of ['0', 'z', 'Ω', ' ', ''])
        if (key[place] !== other)
          expect(isKey(key.slice(0, place) + other + key.slice(place + 1))).toBe(false)
    for (const wrong of ['', 'rl_', `${key}0`, ` ${key}`, `${key}\n`, key.toUpperCase(), key.toLowerCase()])
      expect([wrong, isKey(wrong)]).toEqual([wrong, false])
  })
})

describe('POST /v1/keys', () => {
  test('creates a key, shows it once, and stores only its hash', async () => {
    const user = await server.newUser()
    const { status, headers, body } = await makeKey(server, user, 'TV')
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { key = '', ...shown } = body.key
    expect(Object.keys(body.key)).toEqual(['id', 'name', 'prefix', 'created_at', 'last_used_on', 'key'])
    expect(shown).toMatchObject({ name: 'TV', prefix: key.slice(0, 7), last_used_on: null })
    expect(await list(user)).toEqual([shown])
    const [stored] = await server.sql`select * from keys where id = ${shown.id}`
    const hash = new Bun.CryptoHasher('sha256').update(key).digest('hex')
    expect(Buffer.from(stored?.hash).toString('hex')).toBe(hash)
    expect(JSON.stringify(stored)).not.toContain(key.slice(10))
    expect(await statusOf(key)).toBe(200)
  })

  test('takes names of 1 to 100 characters, and explains other errors', async () => {
    const user = await server.newUser()
    for (const name of ['x', '🎬'.repeat(100), ' ', '<b>"&\u001b[31m'])
      expect((await makeKey(server, user, name)).body.key.name).toBe(name)
    const wrong = [{}, { name: '' }, { name: 'x'.repeat(101) }, { name: 7 }, { name: null }, { name: '\0' }]
    for (const body of wrong) {
      const { status, body: answer } = await server.request('POST', '/v1/keys', { token: user.token, body })
      expect([status, Object.keys(Object(answer.error))]).toEqual([422, ['name']])
    }
    const more = await server.request('POST', '/v1/keys', {
      token: user.token,
      body: { name: 'x', key: 'y' },
    })
    expect(more).toMatchObject({ status: 422, body: { error: { key: 'is not a known field' } } })
    expect((await list(user)).map(({ name }) => name)).toEqual([
      '<b>"&\u001b[31m',
      ' ',
      '🎬'.repeat(100),
      'x',
    ])
  })

  test('creates at most twenty for a user, even if many ask for the twentieth at once', async () => {
    const user = await server.newUser()
    for (let made = 0; made < 19; made++) expect((await makeKey(server, user)).status).toBe(201)
    const answers = await Promise.all(Array.from({ length: 20 }, () => makeKey(server, user)))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(422)])
    const refused = answers.find(({ status }) => status === 422)
    expect(Object.keys(Object(Object(refused?.body).error))).toEqual(['name'])
    const keys = await list(user)
    expect(keys.length).toBe(20)
    expect((await revoke(user, keys[0]?.id ?? 0)).status).toBe(200)
    expect((await makeKey(server, user)).status).toBe(201)
  })
})

describe('DELETE /v1/keys/:id', () => {
  test('revokes only one’s own key, at once', async () => {
    const [user, other] = [await server.newUser(), await server.newUser()]
    const { id, key } = await newKey(server, user)
    expect(await statusOf(key)).toBe(200)
    for (const wrong of [9_999_999, 'abc', '0', '-1', '01', '9223372036854775808'])
      expect(await revoke(user, wrong)).toMatchObject({ status: 404, body: NOT_FOUND })
    expect(await revoke(other, id)).toMatchObject({ status: 404, body: NOT_FOUND })
    expect(await statusOf(key)).toBe(200)
    expect(await revoke(user, id)).toMatchObject({ status: 200, body: { message: 'key revoked' } })
    expect(await read(key)).toMatchObject({ status: 401, body: INVALID })
    expect(await revoke(user, id)).toMatchObject({ status: 404, body: NOT_FOUND })
  })

  test('applies to all requests after its response, during other requests', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, key } = await newKey(server, alice)
      const racing = Array.from({ length: 20 }, () => statusOf(key))
      await revoke(alice, id)
      const late = await Promise.all(Array.from({ length: 20 }, () => statusOf(key)))
      expect(late).toEqual(Array(20).fill(401))
      for (const status of await Promise.all(racing)) expect([200, 401]).toContain(status)
    }
  })
})

describe('a key', () => {
  test('that is forged, cut, or in another case is refused, a forged one without a query', async () => {
    const { key } = await newKey(server, alice)
    const wrong = [
      key.slice(0, -1),
      `${key}x`,
      key.toUpperCase(),
      key.replace(/.$/, key.endsWith('0') ? '1' : '0'),
    ]
    for (const token of [...wrong, 'rl_', createKey(), 'rl_0123456789ABCDEFGHIJKLMNOPQRST4PMbyp'])
      expect(await read(token)).toMatchObject({ status: 401, body: INVALID })
    await server.sql.begin(async (tx) => {
      await tx`lock table keys, users in access exclusive mode`
      for (const token of wrong) expect(await statusOf(token)).toBe(401)
    })
  })

  test('needs no query once it is cached', async () => {
    const { key } = await newKey(server, alice)
    // The announcement of the new key may still be on its way, and makes the service drop the owner once.
    await staysSo(async () => (await statusOf(key, '/v1/movies/abc')) === 404, 300)
    await server.sql.begin(async (tx) => {
      await tx`lock table keys, users, users_permissions in access exclusive mode`
      for (let i = 0; i < 20; i++) expect(await statusOf(key, '/v1/movies/abc')).toBe(404)
    })
  })

  test('stops working while its owner lacks the permission, and works again with it', async () => {
    const user = await server.newUser()
    const { key } = await newKey(server, user)
    expect(await statusOf(key)).toBe(200)
    await server.sql`delete from users_permissions where user_id = ${user.id} and permission = 'movies:read'`
    await until(async () => (await statusOf(key)) === 403)
    expect((await read(key)).body).toEqual(NOT_PERMITTED)
    await server.sql`insert into users_permissions values (${user.id}, 'movies:read')`
    await until(async () => (await statusOf(key)) === 200)
  })

  test('survives a sign-out and a new password, and ends with its owner', async () => {
    const user = await server.newUser()
    const { key } = await newKey(server, user)
    await server.request('DELETE', '/v1/tokens/authentication', { token: user.token })
    expect([await statusOf(user.token), await statusOf(key)]).toEqual([401, 200])
    await server.sql`delete from users where id = ${user.id}`
    await until(async () => (await statusOf(key)) === 401)
    expect((await server.sql`select 1 from keys where user_id = ${user.id}`).length).toBe(0)
  })

  test('reads all movies, but nothing about its owner', async () => {
    const { key } = await newKey(server, alice)
    expect(await statusOf(key, '/v1/movies?title=keys')).toBe(200)
    expect(await statusOf(key, `/v1/movies?created_by=${alice.id}`)).toBe(200)
    for (const query of ['created_by=me', 'favourite=true', 'favourite=false', 'include=favourite'])
      expect(await read(key, `/v1/movies?${query}`)).toMatchObject({ status: 403, body: NOT_PERMITTED })
    expect(await statusOf(key, '/v1/movies?rating=5')).toBe(422)
    expect((await read(key)).headers.get('vary')).toBe('Authorization')
  })

  test('records the day of its last use, which its owner sees within a minute', async () => {
    const user = await server.newUser()
    const { id, key } = await newKey(server, user)
    await newKey(server, user)
    expect(await statusOf(key)).toBe(200)
    const days = () => list(user).then((keys) => keys.map(({ last_used_on }) => last_used_on))
    await until(async () => (await days())[1] !== null)
    const [unused, used] = await days()
    expect([unused, used]).toEqual([null, new Date().toISOString().slice(0, 10)])
    await server.sql`update keys set last_used_on = '2001-01-01' where id = ${id}`
    for (let i = 0; i < 3; i++) await statusOf(key)
    expect((await days())[1]).toBe('2001-01-01')
  })

  test('is not in the log, but its id is', async () => {
    const user = await server.newUser()
    const { id, key } = await newKey(server, user)
    await statusOf(key)
    await server.request('GET', `/v1/movies?apikey=${key}`, { headers: { 'X-API-Key': key } })
    await server.request('POST', '/v1/keys', { token: key, rawBody: key })
    const lines = server.logLines()
    expect(JSON.stringify(lines)).not.toContain(key.slice(8))
    expect(
      lines.filter(({ key_id }) => key_id === id).map(({ user_id, status }) => [user_id, status]),
    ).toEqual([
      [undefined, 200],
      [undefined, 403],
    ])
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
