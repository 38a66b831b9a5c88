import { describe, expect, test } from 'bun:test'
import { permissions } from '../../src/permissions'
import { testDatabaseUrl } from '../support/database'
import { documentedService, neverReached, type Sent } from '../support/openapi'
import { startTestServer, type TestServer, type TestUser, testConfig } from '../support/server'
import { until } from '../support/until'

const { server, operations, operationOf, expectDocumented, call, exampleBodies, callExamples, successOf } =
  documentedService()
/** A second request is refused at any time. */
const SPENT_AT_ONCE = { enabled: true, requestsPerSecond: 0.0001, burst: 1 }

describe('the service follows its document', () => {
  const called = new Set<string>()
  let token: string

  /** The examples of an operation must succeed with the first documented status. */
  async function succeed(id: string, sent: Sent = {}, more: object = {}) {
    called.add(id)
    const answers = await callExamples(id, sent, more)
    expect(answers.map(({ status }) => String(status))).toEqual(answers.map(() => String(successOf(id)?.[0])))
    return answers[0]
  }

  /** Those that a user calls with a token; the others have tests of their own. */
  const ofUsers = () => [...operations].filter(([id]) => id !== 'omdb')
  const exampleOf = (id: string) => successOf(id)?.[1].content?.['application/json']?.example

  test('with each example, in the order in which a new user would send them', async () => {
    const email = 'alice@example.com'
    await succeed('registerUser')
    await succeed('requestActivation')
    await succeed('activateUser', {}, { token: await server().mailedToken(email) })
    const signedIn = await succeed('signIn')
    token = Object(signedIn?.body.authentication_token).token

    await succeed('showMe', { token })
    await succeed('listMovies', { token })
    expect((await call('listMovies', { token, query: '?page_size=2' })).body).toEqual(
      Object(exampleOf('listMovies')),
    )
    const { genres } = Object((await succeed('listGenres', { token }))?.body)
    expect(genres.slice(0, 2)).toEqual(Object(exampleOf('listGenres')).genres)
    expect((await succeed('showMovie', { token }))?.body).toEqual(Object(exampleOf('showMovie')))
    expect((await succeed('createMovie', { token }))?.body).toEqual(Object(exampleOf('createMovie')))
    expect((await succeed('showMovieByExternalId', { token }))?.body).toEqual(
      Object(exampleOf('createMovie')),
    )
    expect((await succeed('updateMovie', { token }))?.body).toEqual(Object(exampleOf('updateMovie')))
    await succeed('putMovie', { token })
    await succeed('addFavourite', { token })
    await succeed('listFavourites', { token })
    await succeed('removeFavourite', { token })
    await succeed('deleteMovie', { token })
    const made = await succeed('createKey', { token })
    const headers = { 'X-API-Key': String(Object(made?.body.key).key) }
    await succeed('omdb', { query: '?i=tt90000001', headers })
    await succeed('omdb', { query: '?s=moana', headers })
    await succeed('omdb', { query: '?t=nothing+such', headers })
    const etag = (await call('omdb', { query: '?t=moana', headers })).headers.get('etag') ?? ''
    await call('omdb', { query: '?t=moana', headers: { ...headers, 'If-None-Match': etag } })
    await succeed('listKeys', { token })
    await succeed('revokeKey', { token })

    const activationToken = await server().mailedToken(email)
    await succeed('requestPasswordReset')
    const resetToken = await until(async () => {
      const newest = await server().mailedToken(email)
      return newest !== activationToken && newest
    })
    await succeed('resetPassword', {}, { token: resetToken })
    const again = await server().signIn(email, 'another-pa55word-of-alice')
    await succeed('renewToken', { token: again })
    const password = 'another-pa55word-of-alice'
    await succeed('changeMe', { token: again }, { current_password: password })
    const email2 = 'alice.liddell@example.com'
    await succeed('confirmEmail', {}, { token: await server().mailedToken(email2) })
    const last = await server().signIn(email2, password)
    await succeed('signOutEverywhere', { token: last })
    const leaving = await server().newUser()
    await succeed('removeMe', { token: leaving.token }, { current_password: leaving.password })

    const operator = await server().newUser({ name: 'Olga', permissions: [...permissions] })
    await succeed('listUsers', { token: operator.token })
    await succeed('showUser', { token: operator.token })
    await succeed('changeUser', { token: operator.token })
    await call('createMovie', { token: operator.token, body: exampleBodies('createMovie')[0] })
    const [movie] = await server().sql`select max(id)::int as id from movies`
    await succeed('reassignMovie', { token: operator.token, id: movie?.id })
    await succeed('removeUser', { token: operator.token })
    await succeed('listEvents', { token: operator.token })
    await succeed('showFigures', { token: operator.token })

    for (const id of ['checkHealth', 'showVariables', 'showMetrics']) await succeed(id)
    expect([...called].sort()).toEqual([...operations.keys()].sort())
  }, 240_000)

  test('for every kind of caller, by the operation’s own security', async () => {
    const inactive = await server().newUser({ activated: false })
    const reader = await server().newUser({ permissions: ['movies:read'] })
    const nobody = await server().newUser({ permissions: [] })
    const refusedTo = async (id: string, caller?: TestUser) =>
      (await call(id, { token: caller?.token })).status
    for (const [id, { security, responses }] of ofUsers()) {
      const needs = security[0]?.token
      expect([id, (await refusedTo(id)) === 401]).toEqual([id, needs !== undefined])
      if (needs === undefined) continue
      expect((await call(id, { token: 'wrong' })).status).toBe(401)
      expect([id, (await refusedTo(id, inactive)) === 403]).toEqual([id, '403' in responses])
      expect([id, (await refusedTo(id, nobody)) === 403]).toEqual([id, needs.length > 0])
      if (needs.some((permission) => permission !== 'movies:read'))
        expect([id, await refusedTo(id, reader)]).toEqual([id, 403])
      // Signing out would prevent the following operations.
      for (const user of [inactive, reader, nobody])
        if (id === 'signOutEverywhere') user.token = await server().signIn(user.email)
    }
  }, 240_000)

  test('for invalid bodies and queries', async () => {
    const owner = await server().newUser({ permissions: [...permissions] })
    const movie = { title: 'A Movie for Mistakes', year: 2001, runtime: '9 mins', genres: ['drama'] }
    const created = await call('createMovie', { token: owner.token, body: movie })
    const movieId = Number(Object(created.body.movie).id)
    const known = {
      token: owner.token,
      externalId: 'of the owner',
    }
    const json = { 'Content-Type': 'application/json' }
    for (const [id, { requestBody, parameters, path }] of ofUsers()) {
      const hasQuery = parameters.some((parameter) => parameter.in === 'query')
      // Elsewhere than in lists, an unknown parameter is ignored.
      const query = { checkHealth: '?for=rating', showFigures: '?since=rating' }[id] ?? '?rating=5'
      if (hasQuery) expect((await call(id, { ...known, query })).status).toBe(422)
      if (requestBody === undefined) continue
      const send = async (rawBody: string, headers = json) =>
        (
          await call(id, {
            ...known,
            id: path.startsWith('/v1/users') ? owner.id : movieId,
            rawBody,
            headers,
          })
        ).status
      const statuses = [
        await send('{"a":'),
        await send('{}', { 'Content-Type': 'text/plain' }),
        await send(`"${'a'.repeat(1_048_577)}"`),
        await send('{"rating":5}'),
      ]
      expect([id, ...statuses]).toEqual([id, 400, 415, 413, 422])
    }
  })

  test('for records that are missing, changed or somebody else’s', async () => {
    const owner = await server().newUser({ permissions: [...permissions] })
    const other = await server().newUser()
    const movie = { title: 'A Movie for Conflicts', year: 2001, runtime: '9 mins', genres: ['drama'] }
    const created = await call('createMovie', { token: owner.token, body: movie })
    const own = { token: owner.token, id: Number(Object(created.body.movie).id) }
    const status = async (id: string, sent: Sent) => (await call(id, sent)).status
    for (const [id, { path }] of operations)
      if (path.includes('{id}')) expect([id, await status(id, { ...own, id: 999_999 })]).toEqual([id, 404])
    for (const id of ['updateMovie', 'deleteMovie']) {
      expect(await status(id, { ...own, token: other.token })).toBe(403)
      expect(await status(id, { ...own, headers: { 'If-Match': '"9"' } })).toBe(412)
      expect(await status(id, { ...own, headers: { 'X-Expected-Version': '9' } })).toBe(409)
    }
    expect(await status('showMovie', { ...own, headers: { 'If-None-Match': '"1"' } })).toBe(304)
  })

  const usesDatabase = (id: string) => '503' in operationOf(id).responses && id !== 'checkHealth'
  /** Sends the example of every operation that needs the database, all at once. */
  async function expectEverywhere(status: number, fragile: TestServer, token: string) {
    const asked = ofUsers().filter(([id]) => usesDatabase(id))
    const answers = asked.map(async ([id, { method, path, parameters }]) => {
      const example = parameters.find((parameter) => parameter.in === 'path')?.example
      const options = { token, body: exampleBodies(id)[0] }
      const answer = await fragile.request(method, path.replace(/\{\w+\}/, String(example)), options)
      expect([id, answer.status]).toEqual([id, status])
      expectDocumented(id, answer)
    })
    expect(answers.length).toBeGreaterThan(10)
    await Promise.all(answers)
  }

  test('when it fails internally', async () => {
    const fragile = await startTestServer({ limiter: neverReached() })
    const { token } = await fragile.newUser()
    for (const table of ['movies', 'users', 'favourites', 'tokens', 'keys'])
      await fragile.sql.unsafe(`alter table ${table} rename to ${table}_away`)
    await expectEverywhere(500, fragile, token)
    await fragile.stop()
  })

  // The embedded database ends a transaction that blocks its only session.
  test.skipIf(testDatabaseUrl === undefined)('when the database does not answer', async () => {
    const fragile = await startTestServer({ limiter: neverReached() })
    const { token } = await fragile.newUser()
    await fragile.sql.begin(async (tx) => {
      await tx`lock table movies, users, favourites, tokens, keys in access exclusive mode`
      await expectEverywhere(503, fragile, token)
    })
    await fragile.stop()
  })

  test('once a client sends too many requests', async () => {
    const limiter = { ...testConfig(server().database.config).limiter, ...SPENT_AT_ONCE }
    const strict = await startTestServer({ limiter })
    await strict.request('GET', '/v1/movies')
    expectDocumented('listMovies', await strict.request('GET', '/v1/movies'))
    for (const [id, { method, path, responses }] of operations) {
      const answer = await strict.request(method, path.replace(/\{\w+\}/, '1'))
      expect([id, answer.status === 429]).toEqual([id, '429' in responses])
      expectDocumented(id, answer)
    }
    await strict.stop()
  })
})
