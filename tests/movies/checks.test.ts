import { beforeAll, describe, expect, test } from 'bun:test'
import { CONFLICT, type MovieAnswer, movieService, NO_IDS, NOT_FOUND, refusal } from '../support/movies'
import { aMovie, type TestUser } from '../support/server'

// The order in which a request about a movie is checked.

const { server, alice, mallory, ask, newTitle, newMovie, get } = movieService()
let reader: TestUser
let inactive: TestUser
beforeAll(async () => {
  reader = await server().newUser({ permissions: ['movies:read'] })
  inactive = await server().newUser({ activated: false })
})

describe('a request', () => {
  const UNPERMITTED = "your user account doesn't have the necessary permissions to access this resource"
  const NOT_JSON = 'the body must be JSON, sent with the header Content-Type: application/json'
  const INACTIVE = 'your user account must be activated to access this resource'
  const NOT_CREATOR = 'only the user who created this movie can change it'
  const who = {
    nobody: () => undefined,
    forger: () => 'not.a.token',
    inactive: () => inactive.token,
    reader: () => reader.token,
    mallory: () => mallory().token,
    alice: () => alice().token,
  }
  const json = { 'Content-Type': 'application/json' }
  const stale = { 'If-Match': '"9"', 'X-Expected-Version': '9' }
  const big = `{"title":"${'x'.repeat(1_048_576)}"}`

  /** Everything is wrong with the first request; each following one fixes the previous error. */
  test.each<[keyof typeof who, 'own' | 'none', Record<string, string>, string, number, MovieAnswer['error']]>(
    [
      ['nobody', 'none', stale, '{', 401, 'you must be authenticated to access this resource'],
      ['forger', 'none', stale, '{', 401, 'invalid or missing authentication token'],
      ['inactive', 'none', stale, '{', 403, INACTIVE],
      ['reader', 'none', stale, '{', 403, UNPERMITTED],
      ['mallory', 'none', stale, '{', 404, NOT_FOUND],
      ['mallory', 'own', stale, '{', 403, NOT_CREATOR],
      ['alice', 'own', stale, '{', 412, CONFLICT],
      ['alice', 'own', { 'X-Expected-Version': '9' }, '{', 409, CONFLICT],
      ['alice', 'own', {}, '{', 415, NOT_JSON],
      ['alice', 'own', json, big, 413, 'body must not be larger than 1048576 bytes'],
      ['alice', 'own', json, '{', 400, 'body contains badly-formed JSON (at character 2)'],
      ['alice', 'own', json, '', 400, 'body must not be empty'],
      ['alice', 'own', json, '[]', 400, 'body must be a JSON object'],
      ['alice', 'own', json, JSON.stringify(aMovie('')), 422, { title: 'must not be empty' }],
    ],
  )('is checked in order: %s, %s movie, %j', async (caller, movie, headers, rawBody, status, error) => {
    const { id } = await newMovie()
    const asked = { token: who[caller](), headers, rawBody }
    const path = `/v1/movies/${movie === 'own' ? id : 0}`
    expect(refusal(await ask('PATCH', path, asked))).toEqual({ status, error })
    const isBodyless = [400, 413, 415, 422].includes(status)
    const deleted = await ask('DELETE', path, asked)
    if (isBodyless)
      expect([deleted.status, deleted.body.message]).toEqual([200, 'movie successfully deleted'])
    else expect(refusal(deleted)).toEqual({ status, error })
    const isOfMovie = [404, 409, 412].includes(status) || error === NOT_CREATOR
    if (!isOfMovie) expect(refusal(await ask('POST', '/v1/movies', asked))).toEqual({ status, error })
    expect((await get(id)).status).toBe(isBodyless ? 404 : 200)
  })

  test.each([...NO_IDS, '1e3', '%ff', '1%20', '+1'])('for movie %s is a 404', async (id) => {
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect(refusal(await ask(method, `/v1/movies/${id}`))).toEqual({
        status: 404,
        error: NOT_FOUND,
      })
  })

  test('may percent-encode the id, and have unknown parameters', async () => {
    const { id } = await newMovie()
    const encoded = String(id).replaceAll(/\d/g, (digit) => `%3${digit}`)
    expect((await ask('GET', `/v1/movies/${encoded}?foo=1&foo=%zz`)).body.movie.id).toBe(id)
    expect((await ask('POST', '/v1/movies?page=0', { body: aMovie(newTitle()) })).status).toBe(201)
  })
})
