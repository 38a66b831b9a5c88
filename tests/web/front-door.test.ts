import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestServer, type TestServer } from '../support/server'

let server: TestServer
let behindProxy: TestServer
beforeAll(async () => {
  server = await startTestServer({ corsTrustedOrigins: ['https://app.example'] })
  behindProxy = await startTestServer({ publicUrl: 'https://movies.example/redlight' })
})
afterAll(async () => {
  await server.stop()
  await behindProxy.stop()
})

const get = (accept?: string, method = 'GET', at = server) =>
  at.request<{ links: Record<string, string> }>(method, '/', {
    headers: accept === undefined ? {} : { Accept: accept },
  })

describe('/', () => {
  test.each([
    ['Firefox', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    [
      'Chromium',
      'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
    ],
    ['a reader of HTML alone', 'text/html'],
    ['one who writes it otherwise', 'application/json; q=0.1 , TEXT/HTML ;level=1; Q=0.5'],
  ])('leads %s to the documentation', async (_, accept) => {
    const answer = await get(accept)
    expect([answer.status, answer.headers.get('location'), answer.text]).toEqual([302, '/docs', ''])
    expect(answer.headers.get('vary')).toBe('Accept, Origin')
  })

  test.each([
    ['curl', '*/*'],
    ['axios', 'application/json, text/plain, */*'],
    ['one who takes both alike', 'text/html, application/json'],
    ['one who takes anything', 'text/html, */*'],
    ['one who refuses HTML', 'text/html;q=0, */*;q=0.1'],
    ['one who says nothing that is known', 'text/html;q=x, ;;,='],
  ])('shows %s the addresses of everything', async (_, accept) => {
    const answer = await get(accept)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ])
    expect(answer.headers.get('vary')).toBe('Accept, Origin')
  })

  test('names existing addresses', async () => {
    const { links } = (await get()).body
    expect(Object.keys(links)).toEqual(
      expect.arrayContaining(['documentation', 'openapi', 'healthcheck', 'movies']),
    )
    for (const [name, path] of Object.entries(links)) {
      const answer = await server.request('OPTIONS', path)
      expect([name, answer.status]).toEqual([name, 204])
    }
  })

  test('names them under the path of PUBLIC_URL', async () => {
    expect((await get('*/*', 'GET', behindProxy)).body.links.documentation).toBe('/redlight/docs')
    expect((await get('text/html', 'GET', behindProxy)).headers.get('location')).toBe('/redlight/docs')
  })
})
