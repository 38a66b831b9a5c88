import { describe, expect, test } from 'bun:test'
import { movieService, NOT_FOUND, refusal } from '../support/movies'
import { aMovie } from '../support/server'

const { server, alice, mallory, ask, post, patch, get, newMovie } = movieService()

describe('a movie', () => {
  const full = {
    director: 'Ron Clements, John Musker',
    cast: ['Auliʻi Cravalho', 'Dwayne Johnson'],
    release_date: '2016-11-23',
    synopsis: 'The sea calls.',
  }

  test('has its keys in the order of the contract, without those that are not set', async () => {
    const short = await ask('POST', '/v1/movies', { body: aMovie('Short') })
    const { id } = short.body.movie
    expect(short.text).toBe(
      `{"movie":{"id":${id},"title":"Short","year":2001,"runtime":"101 mins","genres":["drama"],` +
        `"created_by":{"id":${alice().id},"name":"Alice","username":"alice1"},"version":1}}`,
    )
    const long = await ask('POST', '/v1/movies', {
      token: mallory().token,
      body: { title: 'Moana', runtime: '107 mins', genres: ['b', 'a'], ...full },
    })
    expect(long.text).toBe(
      `{"movie":{"id":${id + 1},"title":"Moana","year":2016,"runtime":"107 mins","genres":["b","a"],` +
        '"director":"Ron Clements, John Musker","cast":["Auliʻi Cravalho","Dwayne Johnson"],' +
        '"release_date":"2016-11-23","synopsis":"The sea calls.",' +
        `"created_by":{"id":${mallory().id},"name":"Mallory"},"version":1}}`,
    )
  })

  test('is created, found at its Location, changed and deleted', async () => {
    const created = await post({ ...full, year: 2016 })
    const { id } = created.body.movie
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(`/v1/movies/${id}`)
    expect(created.headers.get('etag')).toBe('"1"')
    const found = await ask('GET', created.headers.get('location') ?? '')
    expect(found.text).toBe(created.text)
    expect([found.status, found.headers.get('etag')]).toEqual([200, '"1"'])
    const changed = await patch(id, { synopsis: 'Other words.' })
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"'])
    expect(changed.text).toBe((await get(id)).text)
    expect(changed.body.movie).toEqual({ ...created.body.movie, synopsis: 'Other words.', version: 2 })
    const deleted = await ask('DELETE', `/v1/movies/${id}`)
    expect([deleted.status, deleted.text]).toEqual([200, '{"message":"movie successfully deleted"}'])
    expect(refusal(await get(id))).toEqual({ status: 404, error: NOT_FOUND })
    expect(refusal(await ask('DELETE', `/v1/movies/${id}`))).toEqual({ status: 404, error: NOT_FOUND })
  })

  test('is the same for HEAD, without the body', async () => {
    const { id } = await newMovie()
    for (const path of [
      `/v1/movies/${id}`,
      '/v1/movies',
      '/v1/movies?page=0',
      '/v1/movies/0',
      '/v1/movies/999999',
    ]) {
      const [GET, HEAD] = await Promise.all(
        ['GET', 'HEAD'].map(async (method) => {
          const headers = { Authorization: `Bearer ${alice().token}` }
          const response = await fetch(new URL(path, server().url), { method, headers })
          const fixed = [...response.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
          return {
            text: await response.text(),
            about: { path, status: response.status, ...Object.fromEntries(fixed) },
          }
        }),
      )
      expect(GET?.text).not.toBe('')
      expect(HEAD).toEqual({ text: '', about: GET?.about ?? { path, status: 0 } })
    }
  })
})

describe('a patch', () => {
  const dated = { year: undefined, release_date: '2016-11-23', director: 'A', cast: ['B'], synopsis: 'C' }

  /** A patch of the movie `dated`, and the resulting changes. */
  const patches: [object, object][] = [
    [{ director: null }, { director: undefined }],
    [
      { cast: null, synopsis: null },
      { cast: undefined, synopsis: undefined },
    ],
    [{ release_date: null }, { release_date: undefined }],
    [
      { release_date: null, year: 1999 },
      { release_date: undefined, year: 1999 },
    ],
    [{ release_date: '1999-01-02' }, { release_date: '1999-01-02' }],
    [{ year: 2015 }, { year: 2015 }],
    [
      { release_date: '1999-01-02', year: 1999 },
      { release_date: '1999-01-02', year: 1999 },
    ],
    [{ year: 2016 }, {}],
    [
      { genres: ['z', 'y'], runtime: '1 mins' },
      { genres: ['z', 'y'], runtime: '1 mins' },
    ],
    [{ cast: [] }, { cast: [] }],
  ]
  test.each(patches)('of %j changes only that, and adds 1 to the version', async (body, changes) => {
    const movie = await newMovie(dated)
    const patched = await patch(movie.id, body)
    expect(patched.body.movie).toEqual({ ...movie, ...changes, version: 2 })
    expect([patched.status, patched.headers.get('etag')]).toEqual([200, '"2"'])
    expect((await get(movie.id)).text).toBe(patched.text)
  })

  test('of nothing changes nothing, but its conditions are checked', async () => {
    const movie = await newMovie(dated)
    const patched = await patch(movie.id, {}, { 'If-Match': '"1"' })
    expect([patched.status, patched.headers.get('etag'), patched.body.movie]).toEqual([200, '"1"', movie])
    expect((await patch(movie.id, {}, { 'If-Match': '"2"' })).status).toBe(412)
    expect((await patch(movie.id, {}, { 'X-Expected-Version': '2' })).status).toBe(409)
  })
})
