import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readAtItsPace, unreadBytes } from '../../src/json/large-answer'
import { head, openRaw, type RawClient } from '../support/raw'
import { startTestServer, type TestServer, type TestUser } from '../support/server'

setDefaultTimeout(240_000)

const MIB = 1_048_576
const MOVIES = 100
/** Each takes six bytes in JSON. */
const CONTROLS = 10_000
const LIST = `/v1/movies?page_size=${MOVIES}`

describe('a large list', () => {
  let server: TestServer
  let alice: TestUser
  let bob: TestUser
  beforeAll(async () => {
    server = await startTestServer()
    alice = await server.newUser()
    bob = await server.newUser()
    await server.sql`insert into movies (title, year, runtime, genres, synopsis, created_by)
      select 'Large ' || i, 1950, 100, '{large}', repeat(chr(1), ${CONTROLS}), ${alice.id}
      from generate_series(1, ${MOVIES}) as i`
  })
  afterAll(() => server.stop())

  const list = (user: TestUser, path = LIST) => server.request('GET', path, { token: user.token })
  const openReader = async (user: TestUser) => {
    const client = await openRaw(server.url)
    client.pause()
    await client.send(head(`GET ${LIST}`, `Authorization: Bearer ${user.token}`))
    return client
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  async function until(isSo: () => boolean) {
    while (!isSo()) await turn()
  }

  test('equals its small pages put together', async () => {
    const whole = await list(alice)
    expect(whole.status).toBe(200)
    expect(whole.text.length).toBeGreaterThan(6 * MIB * 0.9)
    expect(whole.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(whole.headers.get('link')).toContain('rel="first"')
    const pages = await Promise.all(
      Array.from({ length: 25 }, (_, i) => list(alice, `/v1/movies?page_size=4&page=${i + 1}`)),
    )
    expect(whole.body.movies).toEqual(pages.flatMap(({ body }) => body.movies))
    expect(whole.body.metadata).toEqual({
      current_page: 1,
      page_size: MOVIES,
      first_page: 1,
      last_page: 1,
      total_records: MOVIES,
    })
    await until(() => unreadBytes() === 0)
  })

  test('that is not read is kept up to a limit, which leaves others their half', async () => {
    const clients: RawClient[] = []
    const refusals = () => server.logLines().filter(({ failure }) => failure === 'tooManyAnswers').length
    let held = 0
    for (let isFull = false; !isFull; ) {
      const before = unreadBytes()
      const client = await openReader(alice)
      clients.push(client)
      await until(() => unreadBytes() !== before || refusals() > 0)
      isFull = unreadBytes() === before
      held = unreadBytes()
      expect(held).toBeLessThanOrEqual(32 * MIB)
    }
    expect(clients.length).toBeGreaterThan(3)
    const refused = await list(alice)
    expect([refused.status, refused.text]).toEqual([
      503,
      '{"error":"too many large answers are waiting to be read, please try again"}',
    ])
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect((await list(alice, '/v1/movies?page_size=4')).status).toBe(200)
    expect((await list(bob)).status).toBe(200)
    for (const client of clients) client.close()
    await until(() => unreadBytes() === 0)
    expect((await list(alice)).status).toBe(200)
  })

  test('is not kept for HEAD', async () => {
    const headers = { Authorization: `Bearer ${alice.token}` }
    const answer = await fetch(new URL(LIST, server.url), { method: 'HEAD', headers })
    expect([answer.status, await answer.text()]).toEqual([200, ''])
    await until(() => unreadBytes() === 0)
  })
})

test('a large answer lets other work in after every part, however fast it is read', async () => {
  const parts = 20
  let turns = 0
  let isOver = false
  const turn = () => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  turn()
  const stream = readAtItsPace(Array.from({ length: parts }, () => 'x'.repeat(100_000)).values(), 2 * MIB)
  expect((await new Response(stream).text()).length).toBe(parts * 100_000)
  isOver = true
  expect(turns).toBeGreaterThan(parts)
})
