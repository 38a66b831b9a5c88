import { describe, expect, test } from 'bun:test'
import { LIST, movieService, OUT_OF_YEARS, refusal, thisYear, UNKNOWN } from '../support/movies'

// The rules of a movie's fields, for POST and PATCH.

const { ask, newTitle, post, patch, get, newMovie } = movieService()
const names = (count: number) => Array.from({ length: count }, (_, i) => `Name ${i}`)

const PADDED = 'must not start or end with white space'
const NO_RUNTIME = 'must be a string like "107 mins", from 1 to 100000 minutes'
const NO_DATE = 'must be a calendar date like 2016-11-23'
const OUT_OF_DATES = `must be in a year from 1888 to ${thisYear + 5}`
const NUL = 'must not contain a NUL character'
const LONE = 'must not contain a lone surrogate'
const longerThan = (max: number) => `must not be more than ${max} characters long`

/** A field, its message, and the values that get this message from POST and PATCH. */
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
    const movie = await newMovie()
    expect({ body, ...refusal(await patch(movie.id, body)) }).toEqual({ body, status: 422, error })
    expect((await get(movie.id)).body.movie).toEqual(movie)
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
    expect(refusal(await patch((await newMovie()).id, body)).error).toEqual(error)
  })

  test('names all missing fields, and null counts as missing', async () => {
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
    const movie = await newMovie(optional)
    expect(Object.keys(movie)).toEqual(['id', 'title', 'year', 'runtime', 'genres', 'created_by', 'version'])
    expect(await newMovie({ year: null, release_date: '2016-11-23' })).toMatchObject({ year: 2016 })
    const required = { title: null, year: null, runtime: null, genres: null }
    const provided = Object.fromEntries(Object.keys(required).map((key) => [key, 'must be provided']))
    expect(refusal(await patch(movie.id, required))).toEqual({ status: 422, error: provided })
  })

  test('lists 20 unknown keys, and every invalid known field', async () => {
    const unknown = Object.fromEntries(names(50).map((name) => [name, 1]))
    const { error } = refusal(await post({ ...unknown, title: 5, synopsis: 5 }))
    expect(Object.values(error).filter((message) => message === UNKNOWN)).toHaveLength(20)
    expect(error).toMatchObject({ title: 'must be a string', synopsis: 'must be a string' })
    expect(Object.keys(error)).toHaveLength(22)
  })

  test('accepts every JSON spelling of a number', async () => {
    const headers = { 'Content-Type': 'application/json' }
    for (const [year, status] of Object.entries({ '2001.0': 201, '2.001e3': 201, '1e999': 422 })) {
      const rawBody = `{"title":"${newTitle()}","year":${year},"runtime":"1 mins","genres":["a"]}`
      expect((await ask('POST', '/v1/movies', { rawBody, headers })).status).toBe(status)
    }
  })
})
