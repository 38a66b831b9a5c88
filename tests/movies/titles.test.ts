import { describe, expect, test } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { movieService, OUT_OF_YEARS, refusal } from '../support/movies'
import { aMovie } from '../support/server'

const { server, alice, mallory, ask, newTitle, post, patch, get, newMovie } = movieService()

describe('a title', () => {
  const same: [string, string, boolean][] = [
    ['Seven Samurai', 'sEVEN sAMURAI', true],
    ['Die Straße', 'DIE STRASSE', true],
    ['Οδυσσέας ς', 'ΟΔΥΣΣΈΑΣ Σ', true],
    ['Οδυσσέας σ!', 'Οδυσσέας ς!', true],
    ['Amélie', 'Ame\u0301lie', true],
    ['AMÉLIE 2', 'ame\u0301lie 2', true],
    ['The  Room', 'The Room', true],
    ['The\u00a0Thing', 'The Thing', true],
    ['The\tFly', 'The \u3000\n\u2009 fly', true],
    ['Алиса', 'АЛИСА', true],
    ['Alien', 'Aliens', false],
    ['The Big Blue', 'TheBig Blue', false],
    ['Amelia', 'Amélia', false],
    ['100%', '100_', false],
    ['(500) Days', '500 Days', false],
  ]
  test.each(same)('%j and %j: the same is %p', async (first, second, isSame) => {
    const taken = { status: 422, error: { title: 'a movie with this title already exists' } }
    const { id } = await newMovie({ title: first })
    const again = await ask('POST', '/v1/movies', { token: mallory().token, body: aMovie(second) })
    if (!isSame) return expect(again.body.movie.title).toBe(second)
    expect(refusal(again)).toEqual(taken)
    expect(refusal(await post({ title: second, year: 1 })).error).toEqual({ year: OUT_OF_YEARS })
    const other = await newMovie()
    expect(refusal(await patch(other.id, { title: second }))).toEqual(taken)
    expect((await get(other.id)).body.movie).toEqual(other)
    expect((await patch(id, { title: second })).body.movie).toMatchObject({ title: second, version: 2 })
    await ask('DELETE', `/v1/movies/${id}`)
    expect((await patch(other.id, { title: first })).body.movie.title).toBe(first)
  })

  test('of characters that grow when folded works', async () => {
    const growing = [
      ...'\u0958\u0959\u095a\u095b\u09dc\u09df\u0a33\u0a59\u0b5c\u0f43\ufb2c\u1f82\u1f92\u1fb7\u{1d160}\u{1d1c0}',
    ]
    let state = 7
    const next = () => {
      state = (state * 48271) % 2147483647
      return growing[state % growing.length]
    }
    const title = Array.from({ length: 500 }, next).join('')
    expect(await newMovie({ title, director: title, genres: [growing.join('')] })).toMatchObject({ title })
  })

  // Direction marks, joined emoji, control characters, noncharacters, and special characters of SQL, JSON and HTML.
  test.each([
    ...[
      'e\u0301 é',
      'שלום \u202eabc\u202c',
      'a\u2028b\u2029c',
      '👩‍👩‍👧‍👦🏳️‍🌈\u{1f1e6}',
      'a\u200bb\ufeffc',
      'İıſKß',
    ],
    ...[
      '\u0001\u001f\u007f\u0085',
      '\ufffd\ufffe\uffff\ufdd0\u{10ffff}',
      '{a}',
      'NULL',
      `"q" \\ \\" '`,
      '\\',
    ],
    ...['{"a":[1]}', '\\u0000 \\x00', '<script>&amp;', '%s $1 ? :a --', '_%', "'; drop table movies; --"],
  ])('and all other text are stored exactly: %j', async (text) => {
    const content = {
      title: `${text} ${newTitle()}`,
      genres: [text.replaceAll(',', ''), 'NuLL', '"', '\\\\', ' x '],
      director: text,
      cast: [text, 'NuLL', '{}', '\\n', ' '],
      synopsis: ` ${text}\r\n\t`,
    }
    if (text === 'NULL') content.genres.splice(1, 1)
    const posted = await post(content)
    expect(posted.body.movie).toMatchObject(content)
    const { id } = posted.body.movie
    expect((await get(id)).text).toBe(posted.text)
    expect((await patch(id, { runtime: '5 mins' })).body.movie).toMatchObject(content)
    expect((await patch(id, content)).body.movie).toMatchObject(content)
    const [stored] = await server()
      .sql`select title, genres, director, "cast", synopsis from movies where id = ${id}`
    expect({ ...stored }).toEqual(content)
    const path = '/v1/movies?sort=-id&page_size=1'
    const listed = await server().request<{ movies: MovieJson[] }>('GET', path, { token: alice().token })
    expect(listed.body.movies[0]).toMatchObject(content)
  })
})
