import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { ALL, LAST_ADMIN, operatedService } from '../support/operators'
import { PASSWORD } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, admin, ask, newMovie, actionsOf, eventsOf } = operatedService()
type User = { id: number; name: string; permissions: string[]; movies: number }
type Users = { users: User[]; metadata: { total_records: number; last_page: number } }

describe('the list of users', () => {
  const list = async (query: string) => {
    const { status, body, headers } = await server().request<Users>('GET', `/v1/users${query}`, {
      token: admin().token,
    })
    expect(status).toBe(200)
    return { ...body, names: body.users.map(({ name }) => name), link: headers.get('link') }
  }

  test('has all but the built-in account, with permissions and movies, as one user has', async () => {
    const zoe = await server().newUser({ name: 'Zoë Ångström', username: 'zoe99' })
    const idle = await server().newUser({ name: 'zoë idle', activated: false, permissions: [] })
    await newMovie(zoe.token)
    const { users, metadata } = await list('?q=ZOË')
    expect(users).toEqual([
      {
        id: zoe.id,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        name: 'Zoë Ångström',
        email: zoe.email,
        username: 'zoe99',
        activated: true,
        permissions: ['movies:read', 'movies:write'],
        movies: 1,
      },
      expect.objectContaining({ id: idle.id, activated: false, permissions: [], movies: 0 }),
    ])
    expect(metadata.total_records).toBe(2)
    expect((await ask('GET', `/v1/users/${zoe.id}`)).body.user).toEqual(users[0])
    expect((await list('?page_size=100')).users.map(({ id }) => id)).not.toContain(1)
    for (const q of ['åNG', 'ZOE9', zoe.email.slice(3, 20).toUpperCase()])
      expect((await list(`?q=${encodeURIComponent(q)}`)).users.map(({ id }) => id)).toContain(zoe.id)
    for (const q of ['%25', '_', '\\', "'"]) expect((await list(`?q=${q}`)).users).toEqual([])
  })

  test('is filtered, sorted and paged', async () => {
    for (const name of ['sort C', 'Sort a', 'sort B']) await server().newUser({ name, permissions: [] })
    expect((await list('?q=sort&sort=name')).names).toEqual(['Sort a', 'sort B', 'sort C'])
    expect((await list('?q=sort&sort=-name')).names).toEqual(['sort C', 'sort B', 'Sort a'])
    expect((await list('?q=sort&sort=-id')).names).toEqual(['sort B', 'Sort a', 'sort C'])
    expect((await list('?q=sort&sort=created_at')).names).toEqual(['sort C', 'Sort a', 'sort B'])
    const second = await list('?q=sort&page_size=2&page=2')
    expect([second.names, second.metadata.last_page]).toEqual([['sort B'], 2])
    expect(second.link).toContain('rel="prev"')
    expect((await list('?q=sort&page=9')).metadata.total_records).toBe(3)
    expect((await list('?permission=admin&sort=id')).users.map(({ id }) => id)).toEqual([admin().id])
    const inactive = await list('?activated=false&page_size=100')
    expect(inactive.names).toContain('zoë idle')
    expect(inactive.names).not.toContain('Ada')
  })

  test('refuses unknown values', async () => {
    const wrong = '?activated=yes&permission=movies:eat&sort=email&page=0&who=me'
    expect((await ask('GET', `/v1/users${wrong}`)).body.error).toEqual({
      activated: 'must be true or false',
      permission: 'must be one of movies:read, movies:write, admin, did you mean "movies:read"?',
      sort: 'must be one of id, -id, name, -name, created_at, -created_at',
      page: 'must be between 1 and 10000000',
      who: 'is not a known parameter',
    })
  })

  test('and an unknown user or the built-in account is a 404', async () => {
    for (const id of ['1', '999999', 'abc', '0'])
      expect([id, (await ask('GET', `/v1/users/${id}`)).status]).toEqual([id, 404])
  })
})

describe('an operator', () => {
  test('activates a user and sets all permissions, in force at once, each recorded once', async () => {
    const user = await server().newUser({ name: 'Uma', activated: false, permissions: ['movies:write'] })
    const read = () => ask('GET', '/v1/movies', { token: user.token })
    expect((await read()).status).toBe(403)
    const body = { activated: true, permissions: ['movies:read', 'movies:read'] }
    for (const _ of [1, 2]) {
      const changed = await ask('PATCH', `/v1/users/${user.id}`, { body })
      expect([changed.status, changed.body.user]).toEqual([
        200,
        expect.objectContaining({ id: user.id, activated: true, permissions: ['movies:read'] }),
      ])
    }
    expect((await read()).status).toBe(200)
    const events = await eventsOf(`user:${user.id}`)
    expect(events.map(({ action, detail }) => [action, detail])).toEqual([
      ['user.activated', {}],
      ['permission.revoked', { permission: 'movies:write' }],
      ['permission.granted', { permission: 'movies:read' }],
    ])
    expect(events[0]).toMatchObject({
      actor: { id: admin().id, name: 'Ada' },
      subject: { kind: 'user', id: user.id, name: 'Uma' },
      request_id: expect.any(String),
    })
    expect((await ask('PATCH', `/v1/users/${user.id}`, { body: {} })).status).toBe(200)
    expect(await eventsOf(`user:${user.id}`)).toHaveLength(3)
  })

  test('removes a user, whose movies go to the built-in account', async () => {
    const user = await server().newUser({ name: 'Rex' })
    const id = await newMovie(user.token)
    const removed = await ask('DELETE', `/v1/users/${user.id}`)
    expect([removed.status, removed.body as unknown]).toEqual([200, { message: 'user removed' }])
    expect((await ask('GET', '/v1/users/me', { token: user.token })).status).toBe(401)
    const movie = await ask('GET', `/v1/movies/${id}`)
    expect(movie.body.movie).toMatchObject({ created_by: { id: 1, name: 'Redlight' }, version: 2 })
    expect((await ask('DELETE', `/v1/users/${user.id}`)).status).toBe(404)
    const [event] = await eventsOf(`user:${user.id}`)
    expect(event).toMatchObject({
      action: 'user.removed',
      subject: { kind: 'user', id: user.id, name: 'Rex' },
      detail: { movies: 1 },
    })
  })

  const refused: [object, object][] = [
    [{ permissions: null }, { permissions: 'must be provided' }],
    [
      { permissions: ['movies:eat'] },
      { permissions: expect.stringContaining('entry 1 must be one of movies:read, movies:write, admin') },
    ],
    [{ permissions: 'admin' }, { permissions: 'must be a list, such as ["one", "two"]' }],
    [{ activated: false }, { activated: 'can only be true; to bar a user, take their permissions' }],
    [
      { activated: null, name: 'x' },
      { activated: expect.any(String), name: expect.any(String) },
    ],
  ]
  test.each(refused)('is refused %p, and nothing changes', async (body, error) => {
    const user = await server().newUser()
    const answer = await ask('PATCH', `/v1/users/${user.id}`, { body })
    expect([answer.status, answer.body.error]).toEqual([422, error])
    expect(await eventsOf(`user:${user.id}`)).toEqual([])
  })

  test('can’t change the built-in account or an unknown user', async () => {
    const builtIn = { id: 'is the built-in account' }
    const changed = await ask('PATCH', '/v1/users/1', { body: { permissions: ALL } })
    expect([changed.status, changed.body.error]).toEqual([422, builtIn])
    const removed = await ask('DELETE', '/v1/users/1')
    expect([removed.status, removed.body.error]).toEqual([422, builtIn])
    for (const id of ['999999', 'abc'])
      for (const method of ['PATCH', 'DELETE'])
        expect((await ask(method, `/v1/users/${id}`, { body: {} })).status).toBe(404)
    expect(await eventsOf('user:1')).toEqual([])
  })

  test('finds no user at the paths of other methods', async () => {
    for (const [method, path] of [
      ['GET', '/v1/users/activated'],
      ['PATCH', '/v1/users/password'],
    ] as const) {
      const answer = await server().request(method, path)
      expect([path, answer.status, answer.headers.get('allow')]).toEqual([path, 405, 'OPTIONS, PUT'])
    }
  })
})

describe('the last admin', () => {
  test('stays', async () => {
    const { id } = admin()
    for (const [method, path, body] of [
      ['PATCH', `/v1/users/${id}`, { permissions: ['movies:read'] }],
      ['DELETE', `/v1/users/${id}`, undefined],
    ] as const) {
      const answer = await ask(method, path, { body })
      expect([method, answer.status, answer.body.error]).toEqual([method, 422, LAST_ADMIN])
    }
    // An unactivated admin can do nothing.
    await server().newUser({ activated: false, permissions: ALL })
    expect((await ask('DELETE', `/v1/users/${id}`)).status).toBe(422)
    expect(await actionsOf(`user:${id}`)).toEqual([])
    expect((await ask('GET', '/v1/audit')).status).toBe(200)
  })

  test('stays even if two revoke it from each other at once', async () => {
    for (let round = 0; round < 5; round++) {
      const [a, b] = [
        await server().newUser({ name: 'A', permissions: ALL }),
        await server().newUser({ name: 'B', permissions: ALL }),
      ]
      // There are no others.
      await server().sql`delete from users_permissions where user_id = ${admin().id} and permission = 'admin'`
      const body = { permissions: [] }
      const answers = await Promise.all([
        ask('PATCH', `/v1/users/${b.id}`, { token: a.token, body }),
        round % 2 === 0
          ? ask('PATCH', `/v1/users/${a.id}`, { token: b.token, body })
          : ask('DELETE', `/v1/users/${a.id}`, { token: b.token }),
      ])
      const statuses = answers.map(({ status }) => status).sort()
      // The slower one may have lost the permission, or the account, before it is checked.
      expect([statuses[0], [401, 403, 422].includes(statuses[1] ?? 0)]).toEqual([200, true])
      const [left] = await server().sql`select count(*)::int from users join users_permissions on id = user_id
        where permission = 'admin' and activated`
      expect(left?.count).toBe(1)
      await server().sql`insert into users_permissions values (${admin().id}, 'admin')`
      await server()
        .sql`delete from users_permissions where user_id <> ${admin().id} and permission = 'admin'`
    }
  })
})

describe('a movie', () => {
  const give = (id: number, to: unknown, asked = {}) =>
    ask('PUT', `/v1/movies/${id}/creator`, { body: { id: to }, ...asked })

  test('gets a new owner, with a new version and an event', async () => {
    const [from, to] = [
      await server().newUser({ name: 'From' }),
      await server().newUser({ name: 'To', username: 'to123' }),
    ]
    const id = await newMovie(from.token, 'The Reassigned')
    const given = await give(id, to.id)
    expect([given.status, given.headers.get('etag')]).toEqual([200, '"2"'])
    expect(given.body.movie).toMatchObject({
      id,
      created_by: { id: to.id, name: 'To', username: 'to123' },
      version: 2,
    })
    expect((await ask('PATCH', `/v1/movies/${id}`, { token: from.token, body: { year: 1999 } })).status).toBe(
      403,
    )
    expect((await give(id, to.id)).body.movie).toMatchObject({ version: 2 })
    expect((await give(id, 1)).body.movie).toMatchObject({ created_by: { id: 1 }, version: 3 })
    expect((await give(id, admin().id)).status).toBe(200)
    expect((await ask('DELETE', `/v1/movies/${id}`)).status).toBe(200)
    const events = await eventsOf(`movie:${id}`)
    expect(events.map(({ action }) => action)).toEqual([
      ...Array(3).fill('movie.reassigned'),
      'movie.deleted',
    ])
    expect(events[0]).toMatchObject({
      subject: { kind: 'movie', id, name: 'The Reassigned' },
      detail: { from: { id: from.id, name: 'From' }, to: { id: to.id, name: 'To' } },
    })
    expect(events[3]?.detail).toEqual({ title: 'The Reassigned', year: 2001 })
  })

  test('keeps its owner for a wrong user, an old version, and operators who may not write', async () => {
    const owner = await server().newUser({ name: 'Owner' })
    const id = await newMovie(owner.token)
    for (const [to, error] of [
      [999_999, 'must be the id of a user'],
      ['2', 'must be the id of a user'],
      [null, 'must be provided'],
      [0, 'must be the id of a user'],
    ] as const)
      expect((await give(id, to)).body.error).toEqual({ id: error })
    expect((await give(id, 1, { headers: { 'If-Match': '"7"' } })).status).toBe(412)
    expect((await give(id, 1, { headers: { 'X-Expected-Version': '7' } })).status).toBe(409)
    expect((await give(999_999, 1)).status).toBe(404)
    const reader = await server().newUser({ permissions: ['movies:read', 'admin'] })
    expect((await give(id, 1, { token: reader.token })).status).toBe(403)
    expect((await give(id, 1, { token: owner.token })).status).toBe(403)
    expect((await ask('GET', `/v1/movies/${id}`)).body.movie).toMatchObject({ version: 1 })
    expect(await eventsOf(`movie:${id}`)).toEqual([])
  })
})

test('a removed user can’t sign in', async () => {
  const user = await server().newUser()
  await ask('DELETE', `/v1/users/${user.id}`)
  const answer = await ask('POST', '/v1/tokens/authentication', {
    body: { email: user.email, password: PASSWORD },
  })
  expect(answer.status).toBe(401)
})
