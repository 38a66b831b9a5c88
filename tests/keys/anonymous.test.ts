import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { OpenApi } from '../support/openapi'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const MISSING = { error: 'you must be authenticated to access this resource' }
const PATHS = ['/v1/movies', '/v1/movies/1', '/v1/movies/external/open', '/v1/genres']

let server: TestServer
let user: TestUser
beforeAll(async () => {
  server = await startTestServer({ anonymousRead: true })
  user = await server.newUser()
  const body = aMovie('An Open Movie', { external_id: 'open' })
  await server.request('POST', '/v1/movies', { token: user.token, body })
})
afterAll(() => server.stop())

describe('with ANONYMOUS_READ', () => {
  test('anyone may read movies like a user', async () => {
    for (const path of PATHS) {
      const [anyone, known] = [
        await server.request('GET', path),
        await server.request('GET', path, { token: user.token }),
      ]
      expect([path, anyone.status, anyone.text]).toEqual([path, 200, known.text])
      expect(anyone.headers.get('vary')).toBe('Authorization')
    }
    const etag = (await server.request('GET', PATHS[1] ?? '')).headers.get('etag') ?? ''
    const again = await server.request('GET', PATHS[1] ?? '', { headers: { 'If-None-Match': etag } })
    expect(again.status).toBe(304)
    expect((await server.request('GET', '/v1/movies?rating=5')).status).toBe(422)
    expect((await server.request('GET', '/v1/movies/999')).status).toBe(404)
  })

  test('requests about the caller need a token, before any rule is checked', async () => {
    const personal = ['created_by=me', 'favourite=true', 'favourite=x', 'include=favourite']
    for (const query of [...personal, 'created_by=me&rating=5'])
      expect(await server.request('GET', `/v1/movies?${query}`)).toMatchObject({ status: 401, body: MISSING })
  })

  test('a header must be valid if it is sent', async () => {
    for (const header of [
      'Bearer x',
      'Bearer',
      'Basic eDp5',
      `Bearer rl_0123456789ABCDEFGHIJKLMNOPQRST4PMbyp`,
    ])
      for (const path of PATHS) {
        const answer = await server.request('GET', path, { headers: { Authorization: header } })
        expect([header, path, answer.status]).toEqual([header, path, 401])
      }
    const nobody = await server.newUser({ permissions: [] })
    expect((await server.request('GET', PATHS[0] ?? '', { token: nobody.token })).status).toBe(403)
  })

  test('everything else needs a token', async () => {
    const others = ['GET /v1/users/me', 'GET /v1/users/me/favourites', 'GET /v1/keys', 'POST /v1/movies']
    for (const route of [...others, 'DELETE /v1/movies/1', 'PUT /v1/movies/external/open']) {
      const [method = '', path = ''] = route.split(' ')
      expect([route, await server.request(method, path)]).toMatchObject([
        route,
        { status: 401, body: MISSING },
      ])
    }
  })

  test('the document says that a token is optional', async () => {
    const off = await startTestServer()
    const securityOf = async (of: TestServer) => {
      const { paths } = (await of.request<OpenApi>('GET', '/docs/json')).body
      return paths['/v1/movies']?.get?.security
    }
    expect(await securityOf(server)).toEqual([{ token: ['movies:read'] }, { key: [] }, {}])
    expect(await securityOf(off)).toEqual([{ token: ['movies:read'] }, { key: [] }])
    for (const path of PATHS) expect((await off.request('GET', path)).status).toBe(401)
    await off.stop()
  })
})
