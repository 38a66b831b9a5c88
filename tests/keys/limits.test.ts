import { expect, setDefaultTimeout, test } from 'bun:test'
import { newKey } from '../support/keys'
import { from, limits, newAddress, SLOW, statusesOf, stoppedClock } from '../support/limits'
import { startTestServer } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

test('a key is limited from any address, even an exempt one, besides the limit of the address', async () => {
  const limiter = limits({ requestsPerSecond: SLOW, burst: 50, keyRequestsPerSecond: SLOW, keyBurst: 3 })
  const server = await startTestServer({ limiter, trustedProxies: ['127.0.0.1'] }, { timing: stoppedClock })
  const user = await server.newUser()
  const [first, second] = [await newKey(server, user), await newKey(server, user)]
  const read = (token: string, headers = {}) => server.request('GET', '/v1/movies', { token, headers })

  const answer = await read(first.key, from(newAddress()))
  expect(answer.headers.get('ratelimit-policy')).toBe('"requests";q=0.01;w=1, "key";q=0.01;w=1')
  // On a slow machine a request may count for more than one.
  expect(answer.headers.get('ratelimit')).toMatch(/^"requests";r=4\d;t=\d+, "key";r=[0-2];t=\d+$/)
  const more = statusesOf([
    await read(first.key),
    await read(first.key, from(newAddress())),
    await read(first.key),
  ])
  expect(more.sort()[2]).toBe(429)
  for (const headers of [{}, from(newAddress())]) {
    const refused = await read(first.key, headers)
    expect([refused.status, refused.text]).toEqual([429, '{"error":"rate limit exceeded"}'])
    // Less than for a whole request if those before counted for more.
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d{0,2}$/)
    expect(refused.headers.get('ratelimit')).toStartWith('"key";r=0;t=')
  }
  // Every request with a key counts.
  expect((await server.request('GET', '/v1/users/me', { token: first.key })).status).toBe(429)
  expect(statusesOf([await read(second.key), await read(user.token)])).toEqual([200, 200])
  const forged = second.key.replace(/.$/, second.key.endsWith('0') ? '1' : '0')
  for (let i = 0; i < 5; i++) expect((await read(forged)).status).toBe(401)
  await server.stop()
})

test('a key works without a limit, and with all limits off', async () => {
  for (const limiter of [
    limits({ keyRequestsPerSecond: 0, keyBurst: 1 }),
    limits({ enabled: false, keyRequestsPerSecond: SLOW, keyBurst: 1 }),
  ]) {
    const server = await startTestServer({ limiter }, { timing: stoppedClock })
    const { key } = await newKey(server, await server.newUser())
    for (let i = 0; i < 5; i++) {
      const { status, headers } = await server.request('GET', '/v1/movies', { token: key })
      expect([status, headers.get('ratelimit')]).toEqual([200, null])
    }
    await server.stop()
  }
})
