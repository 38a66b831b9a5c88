import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { MovieJson } from '../../src/movies/model'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'

type Body = { movie: MovieJson; error: string | Record<string, string>; message: string }
type Asked = Parameters<TestServer['request']>[2]

// Password hashes, addresses, SQL, what the database says, paths and stack traces: in no answer, whatever was asked.
const LEAKS =
  /\$argon2|@example\.com|insert into|returning|select .*from|violates|constraint|drizzle|postgres|\/work\/|\/src\/|\.ts:|node_modules|\n\s*at /i

let server: TestServer
let alice: TestUser
let mallory: TestUser
let reader: TestUser
let inactive: TestUser
beforeAll(async () => {
  server = await startTestServer()
  alice = await server.newUser({ username: 'alice1' })
  mallory = await server.newUser({ name: 'Mallory' })
  reader = await server.newUser({ permissions: ['movies:read'] })
  inactive = await server.newUser({ activated: false })
})
afterAll(() => server.stop())

/** As alice, unless another token (or none) is given. */
async function ask(method: string, path: string, asked: Asked = {}) {
  const answer = await server.request<Body>(method, path, { token: alice.token, ...asked })
  expect(answer.text).not.toMatch(LEAKS)
  return answer
}

let titles = 0
const newTitle = () => `Film ${++titles}`
const post = (more: object = {}) => ask('POST', '/v1/movies', { body: { ...aMovie(newTitle()), ...more } })
const patch = (id: number, body: object, headers = {}) => ask('PATCH', `/v1/movies/${id}`, { body, headers })
const get = (id: number, headers = {}) => ask('GET', `/v1/movies/${id}`, { headers })

async function newFilm(more: object = {}): Promise<MovieJson> {
  const { status, body, text } = await post(more)
  if (status !== 201) throw new Error(`no film: ${status} ${text}`)
  return body.movie
}
const refusal = ({ status, body }: Awaited<ReturnType<typeof ask>>) => ({ status, error: body.error })

const thisYear = new Date().getUTCFullYear()
const names = (count: number) => Array.from({ length: count }, (_, i) => `Name ${i}`)
const CONFLICT = 'unable to update the record due to an edit conflict, please try again'
const NOT_FOUND = 'the requested resource could not be found'

describe('a film', () => {
  const full = {
    director: 'Ron Clements, John Musker',
    cast: ['Auliʻi Cravalho', 'Dwayne Johnson'],
    release_date: '2016-11-23',
    synopsis: 'The sea calls.',
  }

  test('has its keys in the order of the contract, and those that are not set left out', async () => {
    const short = await ask('POST', '/v1/movies', { body: aMovie('Short') })
    const { id } = short.body.movie
    expect(short.text).toBe(
      `{"movie":{"id":${id},"title":"Short","year":2001,"runtime":"101 mins","genres":["drama"],` +
        `"created_by":{"id":${alice.id},"name":"Alice","username":"alice1"},"version":1}}`,
    )
    const long = await ask('POST', '/v1/movies', {
      token: mallory.token,
      body: { title: 'Moana', runtime: '107 mins', genres: ['b', 'a'], ...full },
    })
    expect(long.text).toBe(
      `{"movie":{"id":${id + 1},"title":"Moana","year":2016,"runtime":"107 mins","genres":["b","a"],` +
        '"director":"Ron Clements, John Musker","cast":["Auliʻi Cravalho","Dwayne Johnson"],' +
        '"release_date":"2016-11-23","synopsis":"The sea calls.",' +
        `"created_by":{"id":${mallory.id},"name":"Mallory"},"version":1}}`,
    )
  })

  test('is created, found at its location, changed and deleted', async () => {
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

  test('is no different for HEAD, but for the body', async () => {
    const { id } = await newFilm()
    for (const path of [
      `/v1/movies/${id}`,
      '/v1/movies',
      '/v1/movies?page=0',
      '/v1/movies/0',
      '/v1/movies/999999',
    ]) {
      const [GET, HEAD] = await Promise.all(
        ['GET', 'HEAD'].map(async (method) => {
          const headers = { Authorization: `Bearer ${alice.token}` }
          const response = await fetch(new URL(path, server.url), { method, headers })
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

const PADDED = 'must not start or end with white space'
const NO_RUNTIME = 'must be a string like "107 mins", from 1 to 100000 minutes'
const NO_DATE = 'must be a calendar date like 2016-11-23'
const OUT_OF_YEARS = `must be between 1888 and ${thisYear + 5}`
const OUT_OF_DATES = `must be in a year from 1888 to ${thisYear + 5}`
const NUL = 'must not contain a NUL character'
const LIST = 'must be a list, such as ["one", "two"]'
const LONE = 'must not contain a lone surrogate'
const UNKNOWN = 'is not a known field'
const longerThan = (max: number) => `must not be more than ${max} characters long`

/** A field, what is said of it, and the values of which that is said; the same on POST and on PATCH. */
const rules: [field: string, said: string, values: unknown[]][] = [
  ['title', 'must not be empty', ['']],
  ['title', 'must be a string', [5, true, ['a'], { a: 1 }]],
  ['title', PADDED, ' a|a | |a\t|\na|a\r\n|\u00a0a|a\u00a0|a\u2028|\u3000a|\ufeffa'.split('|')],
  ['title', 'ok', ['x'.repeat(500), '🎬'.repeat(500), 'a', '\u200b']],
  ['title', longerThan(500), ['x'.repeat(501), '🎬'.repeat(501)]],
  ['title', NUL, ['a\0b', '\0']],
  ['title', LONE, ['\ud800', 'a\udc00b', '\udc00\ud800']],
  ['year', 'ok', [1888, 2000, thisYear + 5]],
  ['year', OUT_OF_YEARS, [1887, 0, -2001, thisYear + 6, 1e300]],
  ['year', 'must be an integer', ['2001', 2001.5, true, [2001], {}]],
  ['runtime', 'ok', ['1 mins', '107 mins', '100000 mins']],
  ['runtime', NO_RUNTIME, '0 mins|-1 mins|107 min|107|100001 mins|0107 mins|107mins|107  mins'.split('|')],
  ['runtime', NO_RUNTIME, ' 107 mins|107 mins\n|107 Mins|1.5 mins|1e3 mins|+1 mins|٣ mins|'.split('|')],
  ['runtime', NO_RUNTIME, [107, ['107 mins'], '99999999999999999999 mins', '\0', '\ud800']],
  ['genres', 'ok', [['e', 'd', 'c', 'b', 'a'], ['🎬'.repeat(50)], ['Drama', 'drame']]],
  ['genres', 'must contain at least 1 entry', [[]]],
  ['genres', LIST, ['drama', { 0: 'drama', length: 1 }, 1]],
  ['genres', 'must not contain more than 5 entries', [names(6)]],
  ['genres', 'entry 2 must not contain a comma', [['a', 'b,c']]],
  ['genres', `entry 2 ${longerThan(50)}`, [['a', 'x'.repeat(51)]]],
  ['genres', 'entry 1 must not be empty', [[''], ['', 'a']]],
  ['genres', 'entry 1 must be a string', [[7], [['a']]]],
  ['genres', 'entry 1 must be provided', [[null]]],
  ['genres', 'must not contain duplicates, and "dRAMA" is one', [['Drama', 'crime', 'dRAMA']]],
  ['genres', 'must not contain duplicates, and "E\u0301" is one', [['é', 'E\u0301']]],
  ['genres', `entry 2 ${NUL}`, [['a', 'a\0']]],
  ['genres', `entry 2 ${LONE}`, [['a', '\udfff']]],
  ['director', 'ok', ['x'.repeat(500), '🎬'.repeat(500), ' ']],
  ['director', longerThan(500), ['x'.repeat(501), '🎬'.repeat(501)]],
  ['director', 'must not be empty', ['']],
  ['director', 'must be a string', [['a'], 1]],
  ['director', NUL, ['\0']],
  ['director', LONE, ['\ud83c']],
  ['cast', 'ok', [[], names(100), ['Ann', 'ann', '🎬'.repeat(200)]]],
  ['cast', 'must not contain more than 100 entries', [names(101)]],
  ['cast', 'must not contain duplicates, and "Ann" is one', [['Ann', 'Bo', 'Ann']]],
  ['cast', 'entry 2 must not be empty', [['Ann', '']]],
  ['cast', `entry 1 ${longerThan(200)}`, [['x'.repeat(201)]]],
  ['cast', 'entry 2 must be a string', [['Ann', 5]]],
  ['cast', LIST, ['Ann', {}]],
  ['cast', `entry 1 ${NUL}`, [['\0']]],
  ['cast', `entry 1 ${LONE}`, [['\udc00\ud800']]],
  ['release_date', 'ok', ['2024-02-29', '2000-02-29', '1888-01-01', `${thisYear + 5}-12-31`]],
  ['release_date', NO_DATE, '2023-02-29|1900-02-29|2024-04-31|2024-13-01|2024-00-10|2024-01-00'.split('|')],
  ['release_date', NO_DATE, '2024-1-10|20240110|2024-01-10T00:00:00Z| 2024-01-10|10.01.2024'.split('|')],
  ['release_date', NO_DATE, '0000-01-01|+02024-01-10|2024-01-10\n|٢٠٢٤-٠١-١٠|today|infinity|\0|'.split('|')],
  ['release_date', NO_DATE, [20240110, true, ['2024-01-10'], '\ud800']],
  ['release_date', OUT_OF_DATES, ['1887-12-31', `${thisYear + 6}-01-01`, '9999-01-01']],
  ['synopsis', 'ok', ['🎬'.repeat(10_000), ' ']],
  ['synopsis', longerThan(10_000), ['x'.repeat(10_001)]],
  ['synopsis', 'must not be empty', ['']],
  ['synopsis', 'must be a string', [0, []]],
  ['synopsis', NUL, ['a\0']],
  ['synopsis', LONE, ['a\ud800']],
]
const unknownKeys = 'rating|id|version|created_by|Title|a/b~c||constructor|__proto__|\ud800'.split('|')
const allWrong = {
  title: '',
  year: 1,
  runtime: 1,
  genres: [],
  director: 1,
  cast: [1],
  release_date: 1,
  synopsis: '',
}
/** Several fields at once. */
const combinations: [object, Record<string, string>][] = [
  [{ year: 2001, release_date: '2002-01-01' }, { year: 'must be the year of the release date, 2002' }],
  [{ year: '2001', release_date: '2001-01-01' }, { year: 'must be an integer' }],
  [{ year: 1800, release_date: '2001-01-01' }, { year: OUT_OF_YEARS }],
  [
    { year: 1800, release_date: '1800-01-01' },
    { year: OUT_OF_YEARS, release_date: OUT_OF_DATES },
  ],
  [
    { year: null, genres: [] },
    { year: 'must be provided', genres: 'must contain at least 1 entry' },
  ],
  [
    Object.fromEntries(unknownKeys.map((key) => [key, { title: 'a' }])),
    Object.fromEntries(
      unknownKeys.map((key) => [key, key === 'Title' ? `${UNKNOWN}, did you mean "title"?` : UNKNOWN]),
    ),
  ],
  [
    { ...allWrong, rating: 1 },
    {
      title: 'must not be empty',
      year: OUT_OF_YEARS,
      runtime: NO_RUNTIME,
      genres: 'must contain at least 1 entry',
      director: 'must be a string',
      cast: 'entry 1 must be a string',
      release_date: NO_DATE,
      synopsis: 'must not be empty',
      rating: UNKNOWN,
    },
  ],
]

describe('a rule', () => {
  async function refused(body: object, error: Record<string, string>) {
    expect({ body, ...refusal(await post(body)) }).toEqual({ body, status: 422, error })
    const film = await newFilm()
    expect({ body, ...refusal(await patch(film.id, body)) }).toEqual({ body, status: 422, error })
    expect((await get(film.id)).body.movie).toEqual(film)
  }

  test.each(rules)('over %s: %s', async (field, message, values) => {
    for (const value of values) {
      const body = field === 'release_date' ? { year: undefined, release_date: value } : { [field]: value }
      if (message !== 'ok') await refused(body, { [field]: message })
      else {
        const posted = await post(body)
        expect([posted.status, posted.body.movie]).toMatchObject([201, { [field]: value }])
        const { id } = posted.body.movie
        expect((await get(id)).text).toBe(posted.text)
        expect((await patch(id, body)).body.movie).toEqual({ ...posted.body.movie, version: 2 })
      }
    }
  })

  test.each(combinations)('over %j', async (body, error) => {
    const { year, ...others } = error
    const absent = 'must be provided, unless release_date is'
    if (year !== 'must be provided') return refused(body, error)
    expect(refusal(await post(body)).error).toEqual({ ...others, year: absent })
    expect(refusal(await patch((await newFilm()).id, body)).error).toEqual(error)
  })

  test('over what must be there names all that is missing, and null is as if absent', async () => {
    const error = {
      title: 'must be provided',
      year: 'must be provided, unless release_date is',
      runtime: 'must be provided',
      genres: 'must be provided',
    }
    const nulls = Object.fromEntries(Object.keys(allWrong).map((key) => [key, null]))
    const { year: _, ...others } = error
    const rows: [object, object][] = [
      [{}, error],
      [nulls, error],
      [{ release_date: '2016-11-23' }, others],
      [{ release_date: '2023-02-29' }, { ...others, release_date: NO_DATE }],
    ]
    for (const [body, error] of rows)
      expect(refusal(await ask('POST', '/v1/movies', { body }))).toEqual({
        status: 422,
        error: expect.objectContaining(error),
      })
    const { title: _title, year: _year, runtime: _runtime, genres: _genres, ...optional } = nulls
    const film = await newFilm(optional)
    expect(Object.keys(film)).toEqual(['id', 'title', 'year', 'runtime', 'genres', 'created_by', 'version'])
    expect(await newFilm({ year: null, release_date: '2016-11-23' })).toMatchObject({ year: 2016 })
    const required = { title: null, year: null, runtime: null, genres: null }
    const provided = Object.fromEntries(Object.keys(required).map((key) => [key, 'must be provided']))
    expect(refusal(await patch(film.id, required))).toEqual({ status: 422, error: provided })
  })

  test('over unknown keys lists 20 of them, and every known field that fails beside them', async () => {
    const unknown = Object.fromEntries(names(50).map((name) => [name, 1]))
    const { error } = refusal(await post({ ...unknown, title: 5, synopsis: 5 }))
    expect(Object.values(error).filter((message) => message === UNKNOWN)).toHaveLength(20)
    expect(error).toMatchObject({ title: 'must be a string', synopsis: 'must be a string' })
    expect(Object.keys(error)).toHaveLength(22)
  })

  test('takes a number however JSON writes it', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const [year, status] of Object.entries({ '2001.0': 201, '2.001e3': 201, '1e999': 422 })) {
      const rawBody = `{"title":"${newTitle()}","year":${year},"runtime":"1 mins","genres":["a"]}`
      expect((await ask('POST', '/v1/movies', { rawBody, headers })).status).toBe(status)
    }
  })
})

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
    const { id } = await newFilm({ title: first })
    const again = await ask('POST', '/v1/movies', { token: mallory.token, body: aMovie(second) })
    if (!isSame) return expect(again.body.movie.title).toBe(second)
    expect(refusal(again)).toEqual(taken)
    expect(refusal(await post({ title: second, year: 1 })).error).toEqual({ year: OUT_OF_YEARS })
    const other = await newFilm()
    expect(refusal(await patch(other.id, { title: second }))).toEqual(taken)
    expect((await get(other.id)).body.movie).toEqual(other)
    expect((await patch(id, { title: second })).body.movie).toMatchObject({ title: second, version: 2 })
    await ask('DELETE', `/v1/movies/${id}`)
    expect((await patch(other.id, { title: first })).body.movie.title).toBe(first)
  })

  test('of characters that grow when they are folded is no error', async () => {
    const growing = [
      ...'\u0958\u0959\u095a\u095b\u09dc\u09df\u0a33\u0a59\u0b5c\u0f43\ufb2c\u1f82\u1f92\u1fb7\u{1d160}\u{1d1c0}',
    ]
    let state = 7
    const next = () => {
      state = (state * 48271) % 2147483647
      return growing[state % growing.length]
    }
    const title = Array.from({ length: 500 }, next).join('')
    expect(await newFilm({ title, director: title, genres: [growing.join('')] })).toMatchObject({ title })
  })

  // Direction marks, joined emoji, control characters, noncharacters, and what means something to SQL, JSON or HTML.
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
  ])('and all other text is kept exactly as it came: %j', async (text) => {
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
    const [stored] =
      await server.sql`select title, genres, director, "cast", synopsis from movies where id = ${id}`
    expect({ ...stored }).toEqual(content)
    const path = '/v1/movies?sort=-id&page_size=1'
    const listed = await server.request<{ movies: MovieJson[] }>('GET', path, { token: alice.token })
    expect(listed.body.movies[0]).toMatchObject(content)
  })
})

describe('a patch', () => {
  const dated = { year: undefined, release_date: '2016-11-23', director: 'A', cast: ['B'], synopsis: 'C' }

  /** What is sent to a film that is `dated`, and what it then is beside what it was. */
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
    [{ release_date: '1999-01-02' }, { release_date: '1999-01-02', year: 1999 }],
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
  test.each(patches)('of %j changes that and no more, and adds 1 to the version', async (body, changes) => {
    const film = await newFilm(dated)
    const patched = await patch(film.id, body)
    expect(patched.body.movie).toEqual({ ...film, ...changes, version: 2 })
    expect([patched.status, patched.headers.get('etag')]).toEqual([200, '"2"'])
    expect((await get(film.id)).text).toBe(patched.text)
  })

  test('that would part the year from the stored release date names that with all else that is wrong', async () => {
    const film = await newFilm(dated)
    const year = 'must be the year of the release date, 2016'
    expect(refusal(await patch(film.id, { year: 2015 }))).toEqual({ status: 422, error: { year } })
    const error = { year, title: 'must not be empty', cast: LIST, rating: UNKNOWN }
    const body = { year: 2015, title: '', cast: 5, rating: 1 }
    expect(refusal(await patch(film.id, body))).toEqual({ status: 422, error })
    expect(refusal(await patch(film.id, { release_date: '2015-01-01', year: 2016 })).error).toEqual({
      year: 'must be the year of the release date, 2015',
    })
    expect((await get(film.id)).body.movie).toEqual(film)
    expect((await patch(film.id, { release_date: null })).body.movie.year).toBe(2016)
    expect((await patch(film.id, { year: 2015 })).body.movie).toMatchObject({ year: 2015, version: 3 })
  })

  test('of nothing changes nothing, and is guarded all the same', async () => {
    const film = await newFilm(dated)
    const patched = await patch(film.id, {}, { 'If-Match': '"1"' })
    expect([patched.status, patched.headers.get('etag'), patched.body.movie]).toEqual([200, '"1"', film])
    expect((await patch(film.id, {}, { 'If-Match': '"2"' })).status).toBe(412)
    expect((await patch(film.id, {}, { 'X-Expected-Version': '2' })).status).toBe(409)
  })
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
    mallory: () => mallory.token,
    alice: () => alice.token,
  }
  const json = { 'Content-Type': 'application/json' }
  const stale = { 'If-Match': '"9"', 'X-Expected-Version': '9' }
  const big = `{"title":"${'x'.repeat(1_048_576)}"}`

  /** Everything is wrong with the first one; each after it mends what the one before was told. */
  test.each<[keyof typeof who, 'own' | 'none', Record<string, string>, string, number, Body['error']]>([
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
  ])('is checked in order: %s, %s film, %j', async (caller, film, headers, rawBody, status, error) => {
    const { id } = await newFilm()
    const asked = { token: who[caller](), headers, rawBody }
    const path = `/v1/movies/${film === 'own' ? id : 0}`
    expect(refusal(await ask('PATCH', path, asked))).toEqual({ status, error })
    const isBodyless = [400, 413, 415, 422].includes(status)
    const deleted = await ask('DELETE', path, asked)
    if (isBodyless)
      expect([deleted.status, deleted.body.message]).toEqual([200, 'movie successfully deleted'])
    else expect(refusal(deleted)).toEqual({ status, error })
    const isOfFilm = [404, 409, 412].includes(status) || error === NOT_CREATOR
    if (!isOfFilm) expect(refusal(await ask('POST', '/v1/movies', asked))).toEqual({ status, error })
    expect((await get(id)).status).toBe(isBodyless ? 404 : 200)
  })

  test.each([
    '0',
    '-1',
    '01',
    '1.5',
    'abc',
    '1e3',
    '9223372036854775807',
    '9223372036854775808',
    '%00',
    '%ff',
    '1%20',
    '+1',
  ])('for film %s finds none', async (id) => {
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect(refusal(await ask(method, `/v1/movies/${id}`))).toEqual({
        status: 404,
        error: NOT_FOUND,
      })
  })

  test('may write an id in percent-encoding, and carry parameters that no one knows', async () => {
    const { id } = await newFilm()
    const encoded = String(id).replaceAll(/\d/g, (digit) => `%3${digit}`)
    expect((await ask('GET', `/v1/movies/${encoded}?foo=1&foo=%zz`)).body.movie.id).toBe(id)
    expect((await ask('POST', '/v1/movies?page=0', { body: aMovie(newTitle()) })).status).toBe(201)
  })
})
