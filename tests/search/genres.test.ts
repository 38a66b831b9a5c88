import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { listGenres } from '../../src/search/genres-store'
import { withDb } from '../support/backup'
import { createFilledDatabase } from '../support/database'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

let server: TestServer
let alice: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser()
})
afterAll(() => server.stop())

const ask = (headers: Record<string, string> = {}, path = '/v1/genres') =>
  server.request<{ genres: object[] }>('GET', path, { token: alice.token, headers })

describe('the genres', () => {
  test('are counted in any case under the most common spelling, sorted by movies and name', async () => {
    const lists = ['Drama,ÉPOPÉE', 'Drama,crime', 'drama,épopée', 'DRAMA,Épopée', 'noir', 'Noir', 'Ärger']
    for (const [i, genres] of lists.entries()) {
      const body = aMovie(`Movie ${i}`, { genres: genres.split(',') })
      await server.request('POST', '/v1/movies', { token: alice.token, body })
    }
    await server.sql`insert into movies (title, year, runtime, genres) values ('imported', 2000, null, '{}')`
    const answer = await ask({}, '/v1/genres?foo=1&foo=2')
    expect(answer.text).toBe(
      JSON.stringify({
        genres: [
          { name: 'Drama', movies: 4 },
          { name: 'ÉPOPÉE', movies: 3 },
          { name: 'Noir', movies: 2 },
          { name: 'Ärger', movies: 1 },
          { name: 'crime', movies: 1 },
        ],
      }),
    )
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    expect(answer.headers.get('vary')).toContain('Authorization')
  })

  test('are not sent again to a client that has them', async () => {
    const { headers } = await ask()
    const tag = headers.get('etag') ?? ''
    expect(tag).toMatch(/^"\w+"$/)
    for (const given of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await ask({ 'If-None-Match': given })
      expect([answer.status, answer.text, answer.headers.get('etag')]).toEqual([304, '', tag])
      expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    }
    expect((await ask({ 'If-None-Match': '"other"' })).status).toBe(200)
  })
})

test('the genres are counted again after ten seconds', async () => {
  const database = await createFilledDatabase()
  try {
    await withDb(database.config, async (db) => {
      let seconds = 0
      const names = async () => (await listGenres(db, () => seconds * 1000)).map(({ name }) => name)
      expect(await names()).toContain('drama')
      await db.execute('truncate movies cascade')
      seconds = 9
      expect(await names()).toContain('drama')
      seconds = 10
      expect(await names()).toEqual([])
    })
  } finally {
    await database.drop()
  }
})
