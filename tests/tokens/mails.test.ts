import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ username: 'AliceA' })
})
afterAll(() => server.stop())

describe('mails on demand', () => {
  const ask = (kind: string, body: unknown) => server.request('POST', `/v1/tokens/${kind}`, { body })
  const unknownAddress = { status: 422, body: { error: { email: 'no matching email address found' } } }

  test('activation: 202, or the reason', async () => {
    const inactive = await server.newUser({ activated: false })
    for (const email of [inactive.email, inactive.email.toUpperCase()]) {
      const answer = await ask('activation', { email })
      expect(answer.status).toBe(202)
      expect(answer.text).toBe(
        '{"message":"an email will be sent to you containing activation instructions"}',
      )
    }
    expect(await ask('activation', { email: 'nobody@example.com' })).toMatchObject(unknownAddress)
    expect(await ask('activation', { email: alice.email })).toMatchObject({
      status: 422,
      body: { error: { email: 'user has already been activated' } },
    })
  })

  test('password reset: 202, or the reason', async () => {
    const inactive = await server.newUser({ activated: false })
    for (const email of [alice.email, alice.email.toUpperCase()]) {
      const answer = await ask('password-reset', { email })
      expect(answer.status).toBe(202)
      expect(answer.text).toBe(
        '{"message":"an email will be sent to you containing password reset instruction"}',
      )
    }
    expect(await ask('password-reset', { email: 'nobody@example.com' })).toMatchObject(unknownAddress)
    expect(await ask('password-reset', { email: inactive.email })).toMatchObject({
      status: 422,
      body: { error: { email: 'user account must be activated' } },
    })
  })

  test.each(['activation', 'password-reset'])('%s: the rules of the body', async (kind) => {
    const rules: [unknown, Record<string, string>][] = [
      [{}, { email: 'must be provided' }],
      [{ email: null }, { email: 'must be provided' }],
      [{ email: '' }, { email: 'must not be empty' }],
      [{ email: 7 }, { email: 'must be a string' }],
      [{ email: 'a\0@example.com' }, { email: 'must not contain a NUL character' }],
      [{ email: alice.email, username: 'x' }, { username: 'is not a known field' }],
    ]
    for (const [body, error] of rules)
      expect(await ask(kind, body)).toMatchObject({ status: 422, body: { error } })
    expect(await ask(kind, { email: 'AliceA' })).toMatchObject(unknownAddress)
  })
})
