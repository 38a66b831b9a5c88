import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test'
import { startTestServer, type TestServer } from '../support/server'

setDefaultTimeout(240_000)

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

const paths = ['/metrics', '/debug/vars'] as const
const failedIn = (text: string) => /(?:redlight_mails_failed |"failed":)(\d+|NaN|null)/.exec(text)?.[1]

test.each(paths)('%s is gathered once for all requests at about the same time', async (path) => {
  const first = (await server.figures(path)).text
  const answers = await Promise.all(Array.from({ length: 50 }, () => server.request('GET', path)))
  // Half a second may end between them.
  expect(new Set([first, ...answers.map(({ text }) => text)]).size).toBeLessThanOrEqual(2)
})

test.each(paths)('%s shows the last figures while the database does not respond', async (path) => {
  await server.sql`insert into users (name, email, password_hash) values ('A', ${`${path.length}@example.com`}, 'x')`
  await server.sql`insert into mails (user_id, kind, failed_at) select id, 'activation', now() from users where id > 1`
  const known = failedIn((await server.figures(path)).text)
  expect(Number(known)).toBeGreaterThan(0)
  await server.sql.begin(async (tx) => {
    await tx`lock table mails`
    for (let i = 0; i < 3; i++) {
      const { status, text } = await server.figures(path)
      expect([status, failedIn(text)]).toEqual([200, known])
    }
  })
})

test('no figure walks the heap', async () => {
  const { body } = await server.request<{ memstats: object }>('GET', '/debug/vars')
  expect(Object.keys(body.memstats).sort()).toEqual([
    'arrayBuffers',
    'external',
    'heapTotal',
    'heapUsed',
    'rss',
  ])
})
