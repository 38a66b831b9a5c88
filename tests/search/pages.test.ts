import { describe, expect, test } from 'bun:test'
import { listService } from '../support/lists'

const { server, alice, list } = listService()

describe("a page's movies, which the database writes as JSON", () => {
  const every = Array.from({ length: 0x7f }, (_, i) => String.fromCharCode(i + 1)).join('')
  const odd = `${every} \u2028\u2029 \ufeff "\\/" é e\u0301 😀 \ud83c\uddeb\ud83c\uddf7 \ue000 end`
  const minimal = { title: 'Nothing else', year: 1999, runtime: '1 mins', genres: ['drama'] }
  const whole = {
    title: `x${odd}`,
    runtime: '100000 mins',
    release_date: '2001-02-03',
    genres: ['a"b', 'c\\d', '{}', 'null'],
    director: odd,
    cast: ['', ...(odd.match(/.{1,50}/gsu) ?? [])].map((name, i) => `${i}${name}`),
    synopsis: odd,
    poster: 'https://example.com/%22?a=%5C&b=ü',
    imdb_id: 'tt0000001',
    external_id: 'a"b{}',
  }

  test('have the same bytes as each movie alone', async () => {
    const { token } = await server().newUser({ name: `O"Neil \\ ${odd}`, username: 'oneil' })
    for (const body of [minimal, whole, { ...minimal, title: 'No cast', cast: [] }])
      expect((await server().request('POST', '/v1/movies', { token, body })).status).toBe(201)
    await server().sql`insert into movies (title, year, genres) values ('Imported', 2000, '{}')`
    const texts: string[] = []
    for (const id of [1, 2, 3, 4]) {
      const { text } = await server().request('GET', `/v1/movies/${id}`, { token })
      texts.push(text.slice('{"movie":'.length, -1))
    }
    const page = await list('')
    expect(page.text).toStartWith(`{"movies":[${texts.join()}],"metadata":`)
    const marked = await list('?include=favourite')
    const unmarked = texts.map((text) => `${text.slice(0, -1)},"favourite":false}`)
    expect(marked.text).toStartWith(`{"movies":[${unmarked.join()}],"metadata":`)
  })

  test('show in favourites when they were added, in UTC', async () => {
    const { token } = alice()
    await server().request('PUT', '/v1/users/me/favourites/1', { token })
    await server().sql`update favourites set added_at = '2026-03-29 23:30:15.999999+02'`
    const { text } = await server().request('GET', '/v1/users/me/favourites?include=favourite', { token })
    expect(text).toContain('"version":1,"favourited_at":"2026-03-29T21:30:15Z","favourite":true}')
  })
})
