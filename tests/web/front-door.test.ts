import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestServer, type TestServer } from '../support/server'

let server: TestServer
let behindProxy: TestServer
beforeAll(async () => {
  server = await startTestServer({ corsTrustedOrigins: ['https://app.example'] })
  behindProxy = await startTestServer({
    publicUrl: 'https://movies.example/redlight',
    console: { enabled: false, posters: false },
  })
})
afterAll(async () => {
  await server.stop()
  await behindProxy.stop()
})

const get = (accept?: string, path = '/', at = server, method = 'GET') =>
  at.request<{ links: Record<string, string>; error: string }>(method, path, {
    headers: accept === undefined ? {} : { Accept: accept },
  })
const HTML = 'text/html; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe('/', () => {
  test.each([
    ['Firefox', BROWSER],
    [
      'Chromium',
      'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
    ],
    ['a reader of HTML alone', 'text/html'],
    ['one who writes it otherwise', 'application/json; q=0.1 , TEXT/HTML ;level=1; Q=0.5'],
  ])('shows %s the console', async (_, accept) => {
    const answer = await get(accept)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, HTML])
    expect(answer.headers.get('vary')).toContain('Accept')
    expect(answer.text).toContain('<div id="console"')
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
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, JSON_TYPE])
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
    expect((await get('*/*', '/', behindProxy)).body.links.documentation).toBe('/redlight/docs')
  })

  test('leads to the documentation where there is no console, whose account pages stay', async () => {
    const door = await get(BROWSER, '/', behindProxy)
    expect([door.status, door.headers.get('location')]).toEqual([302, '/redlight/docs'])
    expect((await get(BROWSER, '/favourites', behindProxy)).status).toBe(404)
    expect((await get(BROWSER, '/nothing', behindProxy)).headers.get('content-type')).toBe(JSON_TYPE)
    const page = await get(BROWSER, '/activate', behindProxy)
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('data-catalogue="false"')])
    expect(page.headers.get('content-security-policy')).toContain("img-src 'self';")
  })
})

// biome-ignore format: a table
const PAGES = [
  '/favourites', '/my-movies', '/movies/1', '/movies/new', '/movies/1/edit', '/sign-in', '/register', '/activate', '/forgot-password',
  '/reset-password', '/account', '/admin/users', '/admin/users/1', '/admin/movies', '/admin/audit', '/admin/figures',
]

describe('the console', () => {
  test('has one page for all its addresses, whoever asks', async () => {
    const root = (await get(BROWSER)).text
    for (const path of PAGES)
      for (const accept of [BROWSER, '*/*']) {
        const answer = await get(accept, path)
        expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, HTML])
        // The addresses in it are relative to its own.
        expect(answer.text.replaceAll('../', '')).toBe(root)
        const script = /src="([^"]+main\.js)"/.exec(answer.text)?.[1] ?? ''
        expect(new URL(script, new URL(path, 'http://x/')).pathname).toMatch(
          /^\/docs\/assets\/\w{16}\/main\.js$/,
        )
        expect((await get(accept, path, server, 'HEAD')).status).toBe(200)
      }
  })

  test('tells a visitor who is lost, with 404', async () => {
    for (const path of ['/nothing', '/movies', '/movies/1/x/y', '/admin', '/favourites/', '/a//b', '/v1x']) {
      const answer = await get(BROWSER, path)
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 404, HTML])
      expect((await get('*/*', path)).headers.get('content-type')).toBe(JSON_TYPE)
      expect((await get('application/json, text/html', path)).headers.get('content-type')).toBe(JSON_TYPE)
    }
    for (const path of [
      '/v1/nothing',
      '/v1/movies/x',
      '/omdb/x',
      '/debug/x',
      '/metrics/x',
      '/docs/x',
      '/docs/assets/x/y',
    ])
      expect([path, (await get(BROWSER, path)).headers.get('content-type')]).toEqual([path, JSON_TYPE])
    expect((await get(BROWSER, '/nothing', server, 'POST')).headers.get('content-type')).toBe(JSON_TYPE)
    expect((await get(BROWSER, '/movies/1', server, 'POST')).status).toBe(405)
  })

  test('can load and send nothing elsewhere, save posters', async () => {
    const { headers } = await get(BROWSER, '/nothing')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; font-src 'self'; " +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'; trusted-types 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    })
  })

  test('needs JavaScript, and says what does the same without', async () => {
    const { text } = await get(BROWSER, '/activate')
    expect(/<noscript>([\s\S]*)<\/noscript>/.exec(text)?.[1]).toMatch(
      /PUT \/v1\/users\/activated.*PUT \/v1\/users\/password/,
    )
  })
})

describe('an asset', () => {
  const fetchAsset = async (name: string, encoding: string) => {
    const { text } = await get(BROWSER)
    const path = /"(docs\/assets\/\w+\/)main\.js"/.exec(text)?.[1]
    const headers = { 'Accept-Encoding': encoding }
    return fetch(new URL(`${path}${name}`, server.url), { headers, decompress: false })
  }

  test('comes compressed to a browser that takes that, and stays in its cache for good', async () => {
    const zipped = await fetchAsset('main.js', 'gzip, deflate, br')
    const plain = await fetchAsset('main.js', 'gzip;q=0, br')
    expect(Object.fromEntries(zipped.headers)).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding, Origin',
    })
    expect(plain.headers.get('content-encoding')).toBeNull()
    const [small, large] = [await zipped.arrayBuffer(), await plain.arrayBuffer()]
    expect(small.byteLength).toBeLessThan(large.byteLength / 2)
    expect(Bun.gunzipSync(small)).toEqual(new Uint8Array(large))
  })

  test('is nothing but what the console is made of', async () => {
    expect((await fetchAsset('oswald-latin.woff2', 'gzip')).headers.get('content-type')).toBe('font/woff2')
    expect((await fetchAsset('session.ts', 'gzip')).status).toBe(404)
    expect((await fetchAsset('..%2f..%2fmain.ts', 'gzip')).status).toBe(404)
  })
})
