import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { newKey } from '../support/keys'
import { limits, SLOW, stoppedClock } from '../support/limits'
import { omdbService } from '../support/omdb'
import { startTestServer } from '../support/server'
import { until } from '../support/until'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { ask, server, user, key } = omdbService([['Moana', { year: 2016 }]])
const at = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  server().request(method, path, { headers })
const errorOf = ({ status, body }: { status: number; body: object }) => [status, body]
const failure = (error: string) => ({ Response: 'False', Error: error })
const NO_KEY = [401, failure('No API key provided.')]
const BAD_KEY = [401, failure('Invalid API key!')]

describe('the key', () => {
  test('is read from apikey, then X-API-Key, then Authorization', async () => {
    const good = { 'X-API-Key': key(), Authorization: `Bearer ${key()}` }
    const bad = { 'X-API-Key': 'x', Authorization: 'Bearer x' }
    expect((await at(`/omdb?t=moana&apikey=${key()}`, bad)).status).toBe(200)
    expect((await at('/omdb?t=moana', { ...bad, 'X-API-Key': key() })).status).toBe(200)
    expect((await at('/omdb/?t=moana', { Authorization: `bearer  ${key()}` })).status).toBe(200)
    expect(errorOf(await at('/omdb?t=moana&apikey=x', good))).toEqual(BAD_KEY)
    expect(errorOf(await at('/omdb?t=moana', { ...good, 'X-API-Key': 'x' }))).toEqual(BAD_KEY)
    expect((await at(`/omdb?t=moana&apikey=&apikey=%20${key()}+&apikey=x`, bad)).status).toBe(200)
  })

  test('is checked first', async () => {
    for (const query of ['', '?t=moana', '?i=tt1', '?apikey=', '?s=x&r=json&callback=x'])
      expect(errorOf(await at(`/omdb${query}`))).toEqual(NO_KEY)
    expect(errorOf(await at('/omdb', { 'X-API-Key': ' ' }))).toEqual(NO_KEY)
    const wrong = ['x', key().slice(1), key().toLowerCase(), `${key()}x`, 'trilogy', user().token]
    for (const apikey of wrong) {
      const refused = await at(`/omdb?t=moana&apikey=${apikey}`)
      expect(errorOf(refused)).toEqual(BAD_KEY)
      expect(refused.headers.get('www-authenticate')).toBe('Bearer')
      expect(refused.headers.get('cache-control')).toBe('no-store')
    }
    expect(errorOf(await at('/omdb', { Authorization: 'Basic eDp5' }))).toEqual(BAD_KEY)
  })

  test('ends when it is revoked, and does not work without its owner’s permission', async () => {
    const owner = await server().newUser()
    const made = await newKey(server(), owner)
    const asked = () => at(`/omdb?t=moana&apikey=${made.key}`)
    expect((await asked()).status).toBe(200)
    await server()
      .sql`delete from users_permissions where user_id = ${owner.id} and permission = 'movies:read'`
    await until(async () => (await asked()).status === 403)
    const error = "your user account doesn't have the necessary permissions to access this resource"
    expect((await asked()).body).toEqual(failure(error))
    await server().sql`insert into users_permissions values (${owner.id}, 'movies:read')`
    await until(async () => (await asked()).status === 200)
    await server().request('DELETE', `/v1/keys/${made.id}`, { token: owner.token })
    expect(errorOf(await asked())).toEqual(BAD_KEY)
  })

  test('is needed with ANONYMOUS_READ too', async () => {
    const open = await startTestServer({ anonymousRead: true })
    expect(errorOf(await open.request('GET', '/omdb?t=moana'))).toEqual(NO_KEY)
    await open.stop()
  })
})

describe('every answer', () => {
  const paths = () => [
    ...['/omdb', '/omdb/', '/omdb?t=moana', '/omdb/x', '/omdb//', '/omdb/%ff'],
    ...[`/omdb?apikey=${key()}&t=moana`, `/omdb/?apikey=${key()}&s=moana`, `/omdb?apikey=${key()}&t=x&r=xml`],
  ]
  test('may be read by pages of any origin, and does not depend on the origin', async () => {
    for (const path of paths())
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
        const { headers, status } = await fetch(new URL(path, server().url), {
          method,
          headers: { Origin: 'https://films.example.com' },
        })
        const said = Object.fromEntries(headers)
        expect([path, method, said]).toMatchObject([
          path,
          method,
          {
            'access-control-allow-origin': '*',
            'access-control-expose-headers':
              'ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id',
            'referrer-policy': 'no-referrer',
            'x-content-type-options': 'nosniff',
            vary: 'Authorization, X-API-Key',
            'cache-control': status === 401 ? 'no-store' : 'private, no-cache',
          },
        ])
        expect(headers.has('access-control-allow-credentials')).toBe(false)
        expect(JSON.stringify(said)).not.toContain(key().slice(8))
      }
  })

  test('to a preflight allows what clients send', async () => {
    const asked = {
      Origin: 'https://films.example.com',
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'content-type,x-api-key',
    }
    const { status, headers } = await at('/omdb', asked, 'OPTIONS')
    expect([status, headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    expect(headers.get('access-control-allow-methods')).toContain('GET')
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, X-API-Key, Content-Type, If-None-Match',
    )
  })

  test('to another method or path is an error in this form', async () => {
    for (const path of ['/omdb', '/omdb/']) {
      const refused = await at(path, {}, 'POST')
      expect(errorOf(refused)).toEqual([405, failure('the POST method is not supported for this resource')])
      expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    }
    for (const path of ['/omdb/x', '/omdb//', '/omdb/%00', '/omdb/%zz', `/omdb/x?apikey=${key()}`])
      expect(errorOf(await at(path))).toEqual([404, failure('the requested resource could not be found')])
    const { text } = await at('/omdb/x?r=xml')
    expect(text).toBe(
      '<root response="False"><error>the requested resource could not be found</error></root>',
    )
    // Other paths have the usual form.
    for (const path of ['/omdbx', '/OMDB', '/v1/omdb'])
      expect((await at(path)).body).toEqual({ error: 'the requested resource could not be found' })
  })
})

test('a current copy gets 304 after the key is checked, for each format separately', async () => {
  const [json, xml] = [await ask('t=moana'), await ask('t=moana&r=xml')]
  const [tag, other] = [json, xml].map(({ headers }) => headers.get('etag') ?? '')
  expect(tag).toMatch(/^"[\w-]+"$/)
  expect(other).not.toBe(tag ?? '')
  for (const given of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
    const again = await ask('t=moana', { 'If-None-Match': given ?? '' })
    expect([given, again.status, again.text, again.headers.get('etag')]).toEqual([given, 304, '', tag ?? ''])
  }
  expect((await ask('t=moana&r=xml', { 'If-None-Match': tag ?? '' })).status).toBe(200)
  expect((await at('/omdb?t=moana', { 'If-None-Match': tag ?? '' })).status).toBe(401)
  expect((await ask('t=nothing', { 'If-None-Match': '*' })).headers.get('etag')).toBeNull()
  await server().sql`update movies set year = 2017`
  expect((await ask('t=moana', { 'If-None-Match': tag ?? '' })).status).toBe(200)
})

test('too many requests get OMDb’s error, by address and by key', async () => {
  for (const limiter of [
    limits({ requestsPerSecond: SLOW, burst: 2, exempt: [] }),
    limits({ keyRequestsPerSecond: SLOW, keyBurst: 1 }),
  ]) {
    const strict = await startTestServer({ limiter }, { timing: stoppedClock })
    const made = await newKey(strict, await strict.newUser())
    const asked = () => strict.request('GET', `/omdb?i=tt90000001&apikey=${made.key}`)
    expect((await asked()).headers.get('ratelimit-policy')).toContain('q=0.01;w=1')
    const refused = await asked()
    expect(errorOf(refused)).toEqual([429, failure('Request limit reached!')])
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    await strict.stop()
  }
})

test('metrics count the kinds of requests, without keys or texts', async () => {
  await ask('t=secretword&r=xml')
  const { text } = await server().figures('/metrics')
  for (const line of [
    'redlight_omdb_requests_total{form="t",format="xml",outcome="not_found"}',
    'redlight_omdb_requests_total{form="t",format="json",outcome="found"}',
    'redlight_omdb_requests_total{form="t",format="json",outcome="unauthorized"}',
  ])
    expect(text).toContain(line)
  const { text: variables } = await server().request('GET', '/debug/vars')
  for (const page of [text, variables]) {
    expect(page).not.toContain(key().slice(3))
    expect(page).not.toContain('secretword')
  }
  const lines = JSON.stringify(server().logLines())
  expect(lines).not.toContain(key().slice(8))
  expect(lines).not.toContain('secretword')
  expect(lines).toContain('"route":"/omdb"')
})
