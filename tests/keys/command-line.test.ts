import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { databaseVariables, redlight } from '../support/command-line'
import { type KeyBody, newKey } from '../support/keys'
import { startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// Each start of the program takes seconds on a busy machine, and a test makes several.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ username: 'alice1' })
})
afterAll(() => server.stop())

const keys = (...args: string[]) => redlight(['keys', ...args], databaseVariables(server.database.config))
const statusOf = async (token: string) => (await server.request('GET', '/v1/movies', { token })).status

test('an operator creates, lists and revokes keys while the service runs', async () => {
  const made = await keys('add', 'ALICE1', '--name', 'TV \u001b[31m')
  expect([made.code, made.error]).toEqual([0, ''])
  expect(made.out).toMatch(/^rl_[0-9A-Za-z]{36}\n$/)
  const key = made.out.trim()
  expect(await statusOf(key)).toBe(200)
  const bob = await server.newUser()
  const bobs = await newKey(server, bob)

  await until(async () => / 20\d\d-\d\d-\d\d +TV/.test((await keys('list', alice.email)).out))
  const { out } = await keys('list')
  const [heading = '', first = '', second = '', ...rest] = out.trimEnd().split('\n')
  expect(heading).toMatch(/^ID +BEGINS +OWNER +CREATED +LAST USED +NAME$/)
  expect(rest).toEqual(['2 keys'])
  expect(first).toMatch(RegExp(`^${bobs.id} +${bobs.key.slice(0, 7)} +${bob.email} +20\\S+Z +- +TV$`))
  expect(second).toMatch(/^\d+ +rl_\w{4} +\S+@example.com +20\S+Z +20\d\d-\d\d-\d\d +TV \\x1b\[31m$/)
  const json: { keys: (KeyBody & { owner: { id: number } })[] } = JSON.parse(
    (await keys('list', '--json')).out,
  )
  expect(json.keys.map(({ id, owner }) => [id, owner.id])).toEqual([
    [bobs.id, bob.id],
    [bobs.id - 1, alice.id],
  ])
  expect(JSON.stringify(json)).not.toContain(key.slice(8))

  expect(await keys('revoke', String(bobs.id - 1))).toMatchObject({
    code: 0,
    out: `Revoked key ${bobs.id - 1} (${key.slice(0, 7)}…, "TV \\u001b[31m").\n`,
  })
  await until(async () => (await statusOf(key)) === 401)
  expect(await statusOf(bobs.key)).toBe(200)
  const trail = await server.sql`
    select action, actor_id::int as actor, subject_name as name, detail->'owner'->>'id' as owner
    from audit_events where subject_kind = 'key' order by id`
  expect([...trail]).toEqual([
    { action: 'key.created', actor: null, name: 'TV \u001b[31m', owner: String(alice.id) },
    { action: 'key.created', actor: bob.id, name: 'TV', owner: String(bob.id) },
    { action: 'key.revoked', actor: null, name: 'TV \u001b[31m', owner: String(alice.id) },
  ])
})

test('and gets errors for mistakes', async () => {
  const cases: [args: string[], code: number, error: string][] = [
    [['revoke', '999999'], 1, 'there is no key 999999; "redlight keys list" shows all'],
    [['revoke', 'x'], 2, '"x" is not the id of a key'],
    [['add', 'nobody@example.com'], 1, 'there is no user "nobody@example.com"'],
    [['add', '1'], 1, 'the account Redlight is built in and stays as it is'],
    [['add', alice.email, '--name', ''], 1, 'name must not be empty'],
    [['list', 'nobody'], 1, 'there is no user "nobody"'],
  ]
  for (const [args, code, error] of cases) {
    const finished = await keys(...args)
    expect([args, finished.code, finished.out]).toEqual([args, code, ''])
    expect(finished.error).toContain(error)
  }
  await server.sql`insert into keys (user_id, name, prefix, hash)
    select ${alice.id}, 'x', 'rl_x', sha256(n::text::bytea) from generate_series(1, 20) as n`
  const full = await keys('add', alice.email)
  expect([full.code, full.out]).toEqual([1, ''])
  expect(full.error).toContain('already has the most keys that are allowed: revoke one first')
})
