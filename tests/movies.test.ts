import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { aMovie, startTestServer, type TestServer, type TestUser } from './support/server'

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

describe('a film', () => {
  test('is created, read, changed and deleted', async () => {
    const created = await server.request('POST', '/v1/movies', { token: alice.token, body: aMovie('First') })
    expect(created.status).toBe(201)
  })
})
