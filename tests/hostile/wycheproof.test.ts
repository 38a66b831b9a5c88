import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { startTestServer, type TestServer } from '../support/server'

// Tokens that broke other libraries: https://github.com/C2SP/wycheproof. They stay outside the repository.
const VECTORS = '../shared/corpora/wycheproof/json_web_signature_test.json'
const isHere = existsSync(VECTORS)
if (!isHere) console.log(`left out: the JWS vectors of Wycheproof, which are not at ${VECTORS}`)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

test.skipIf(!isHere)('no signature for another purpose is accepted', async () => {
  const { testGroups } = JSON.parse(readFileSync(VECTORS, 'utf8'))
  const tokens: string[] = testGroups.flatMap(({ tests }: { tests: { jws: unknown }[] }) =>
    tests.map(({ jws }) => (typeof jws === 'string' ? jws : JSON.stringify(jws))),
  )
  expect(tokens.length).toBeGreaterThan(100)
  for (const token of tokens) {
    const { status, body } = await server.request('GET', '/v1/movies', { token })
    expect({ token, status, body }).toEqual({
      token,
      status: 401,
      body: { error: 'invalid or missing authentication token' },
    })
  }
})
