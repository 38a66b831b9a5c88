import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { newFilledFolder, removeFolders } from '../support/embedded'
import { quietSettings, startProgram } from '../support/program'
import { startTestServer, type TestServer } from '../support/server'

setDefaultTimeout(240_000)

const PATHS = ['/metrics', '/debug/vars']
const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE']

describe('METRICS_NETWORKS', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({
      metricsNetworks: ['10.1.0.0/16', '2001:db8::/32'],
      trustedProxies: ['127.0.0.1', '10.1.0.9'],
    })
  })
  afterAll(() => server.stop())
  const statuses = (forwardedFor: string, method = 'GET') =>
    Promise.all(
      PATHS.map(async (path) => {
        const headers: Record<string, string> = forwardedFor === '' ? {} : { 'X-Forwarded-For': forwardedFor }
        return (await fetch(new URL(path, server.url), { method, headers })).status
      }),
    )

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7', '192.0.2.1, 10.1.2.3', '10.1.2.3, 10.1.0.9'])(
    'lets %s ask',
    async (forwardedFor) => {
      expect(await statuses(forwardedFor)).toEqual([200, 200])
      expect(await statuses(forwardedFor, 'OPTIONS')).toEqual([204, 204])
      expect(await statuses(forwardedFor, 'POST')).toEqual([405, 405])
    },
  )

  test.each(['', '192.0.2.1', '10.2.0.1', '10.1.2.3, 192.0.2.1', 'unknown', 'unknown, 10.1.0.9', '_x'])(
    'hides them from %p, for any method',
    async (forwardedFor) => {
      for (const method of METHODS) expect(await statuses(forwardedFor, method)).toEqual([404, 404])
    },
  )

  test('hides them like an unknown path', async () => {
    const hidden = await server.request('GET', '/metrics', { headers: { Origin: 'https://a.example' } })
    const missing = await server.request('GET', '/nothing', { headers: { Origin: 'https://a.example' } })
    const shown = ({ status, text, headers }: typeof hidden) => {
      const { date: _, 'x-request-id': id, ...others } = Object.fromEntries(headers)
      return { status, text, others, hasId: id !== undefined }
    }
    expect(shown(hidden)).toEqual(shown(missing))
    expect((await server.request('GET', '/v1/healthcheck')).status).toBe(200)
  })
})

test('a start warns of loopback without TRUSTED_PROXIES, and excludes others', async () => {
  const environment = { ...quietSettings, DATA_DIR: await newFilledFolder(), METRICS_NETWORKS: '::1' }
  const program = await startProgram(environment)
  try {
    expect(program.lines.join('\n')).toContain('METRICS_NETWORKS has ::1, and TRUSTED_PROXIES is empty')
    expect((await fetch(new URL('/metrics', program.url))).status).toBe(404)
  } finally {
    await program.stop()
    await removeFolders()
  }
})
