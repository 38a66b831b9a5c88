import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { purgeEvents } from '../../src/audit/store'
import { withDb } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import { createFilledDatabase } from '../support/database'
import { ALL, type Event, operatedService } from '../support/operators'
import { PASSWORD } from '../support/server'

// A start of the embedded database takes a second, and many on a busy machine.
setDefaultTimeout(240_000)

const { server, admin, ask, newMovie, eventsOf, actionsOf } = operatedService()
type Events = { events: Event[]; metadata: { total_records: number } }
const list = async (query: string) => {
  const { status, body } = await server().request<Events>('GET', `/v1/audit${query}`, {
    token: admin().token,
  })
  expect([query, status]).toEqual([query, 200])
  return body
}

describe('every recorded action', () => {
  test('leaves exactly one event, with its actor', async () => {
    const user = await server().newUser({ name: 'Sam' })
    expect((await ask('DELETE', '/v1/tokens/authentication', { token: user.token })).status).toBe(200)
    await ask('POST', '/v1/tokens/password-reset', { body: { email: user.email } })
    const token = await server().mailedToken(user.email)
    const reset = await ask('PUT', '/v1/users/password', {
      token: undefined,
      body: { token, password: 'a new password' },
    })
    expect(reset.status).toBe(200)
    const events = await eventsOf(`user:${user.id}`)
    const self = { id: user.id, name: 'Sam' }
    expect(events).toEqual([
      {
        id: expect.any(Number),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        actor: self,
        action: 'sessions.ended',
        subject: { kind: 'user', ...self },
        detail: {},
        request_id: expect.stringMatching(/./),
      },
      expect.objectContaining({
        action: 'password.reset',
        actor: self,
        request_id: reset.headers.get('x-request-id'),
      }),
    ])
  })

  test('leaves one event for 20 simultaneous ones, and none if it fails', async () => {
    const owner = await server().newUser()
    const id = await newMovie(owner.token)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask('DELETE', `/v1/movies/${id}`, { token: owner.token })),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await actionsOf(`movie:${id}`)).toEqual(['movie.deleted'])

    const user = await server().newUser({ permissions: [] })
    const body = { permissions: ALL, activated: true }
    await Promise.all(Array.from({ length: 20 }, () => ask('PATCH', `/v1/users/${user.id}`, { body })))
    expect((await actionsOf(`user:${user.id}`)).sort()).toEqual(Array(3).fill('permission.granted'))
    await ask('PATCH', `/v1/users/${user.id}`, { body: { permissions: [] } })

    // Fails halfway: the movie is deleted, but its event can't be written.
    const kept = await newMovie(owner.token)
    await server()
      .sql`alter table audit_events add constraint refusing check (subject_id <> ${kept}) not valid`.catch(
      () =>
        server().sql.unsafe(
          `alter table audit_events add constraint refusing check (subject_id <> ${kept}) not valid`,
        ),
    )
    expect((await ask('DELETE', `/v1/movies/${kept}`, { token: owner.token })).status).toBe(500)
    await server().sql`alter table audit_events drop constraint refusing`
    expect((await ask('GET', `/v1/movies/${kept}`)).status).toBe(200)
    expect(await eventsOf(`movie:${kept}`)).toEqual([])
  })

  test('contains no secret', async () => {
    const rows = await server().sql`select string_agg(e::text, '') as everything from audit_events e`
    expect(rows[0]?.everything).toContain('permission')
    expect(rows[0]?.everything).not.toMatch(/\$argon2|a new password/)
    expect(rows[0]?.everything).not.toContain(PASSWORD)
  })

  test('is in the trail from the command line too, with the name of the system user', async () => {
    const run = async (...args: string[]) => {
      const finished = await redlight(args, databaseVariables(server().database.config))
      expect([args, finished.error, finished.code]).toEqual([args, '', 0])
      return finished.out
    }
    const user = await server().newUser({ name: 'Cleo', activated: false, permissions: [] })
    const id = await newMovie(admin().token, 'Moderated')
    await run('users', 'activate', user.email)
    await run('users', 'activate', user.email)
    await run('users', 'grant', user.email, 'movies:read', 'admin')
    await run('users', 'grant', user.email, 'admin')
    await run('users', 'revoke', user.email, 'admin', 'movies:write')
    await run('movies', 'assign', String(id), user.email)
    await run('movies', 'assign', String(id), user.email)
    await run('movies', 'remove', '--yes', String(id))
    expect(await actionsOf(`user:${user.id}`)).toEqual([
      'user.activated',
      'permission.granted',
      'permission.granted',
      'permission.revoked',
    ])
    const [reassigned, deleted, ...more] = await eventsOf(`movie:${id}`)
    expect(more).toEqual([])
    const by = expect.stringMatching(/./)
    expect(reassigned).toMatchObject({
      actor: null,
      action: 'movie.reassigned',
      detail: { by },
      request_id: null,
    })
    expect(deleted).toMatchObject({ action: 'movie.deleted', detail: { title: 'Moderated', year: 2001, by } })

    const shown = await run('audit', '--subject', `movie:${id}`)
    const [heading = '', ...rows] = shown.trimEnd().split('\n')
    expect(heading).toMatch(/^TIME +WHO +ACTION +ON +DETAIL$/)
    expect(rows).toEqual([
      expect.stringMatching(
        RegExp(
          `^\\S+Z {2}\\S+ \\(command line\\) +movie\\.deleted +movie ${id} Moderated {2}title=Moderated year=2001$`,
        ),
      ),
      expect.stringMatching(/movie\.reassigned .* from=Ada to=Cleo$/),
      '2 events',
    ])
    const json = JSON.parse(await run('audit', 'list', '--subject', `movie:${id}`, '--json'))
    expect(json).toEqual(await list(`?subject=movie:${id}&page_size=100`))
    const wrong = await redlight(
      ['audit', '--subject', 'film:1'],
      databaseVariables(server().database.config),
    )
    expect([wrong.code, wrong.error]).toEqual([
      2,
      expect.stringContaining('--subject must be a kind and an id'),
    ])
  })
})

describe('the trail', () => {
  test('is sorted newest first, paged, and filtered by actor, action, subject and time', async () => {
    const [a, b] = [
      await server().newUser({ name: 'A', permissions: ALL }),
      await server().newUser({ name: 'B' }),
    ]
    for (const id of [await newMovie(a.token), await newMovie(b.token)])
      await ask('PUT', `/v1/movies/${id}/creator`, { token: a.token, body: { id: 1 } })
    const both = await list(`?actor=${a.id}`)
    expect(both.metadata.total_records).toBe(2)
    const [newer, older] = both.events
    expect(Number(newer?.id)).toBeGreaterThan(Number(older?.id))
    expect((await list(`?actor=${a.id}&page_size=1&page=2`)).events).toMatchObject([{ id: older?.id }])
    expect((await list(`?actor=${a.id}&page=3`)).metadata.total_records).toBe(2)
    expect((await list(`?actor=${a.id}&action=movie.deleted`)).events).toEqual([])
    expect((await list(`?subject=movie:${older?.subject.id}`)).events).toMatchObject([{ id: older?.id }])
    expect((await list('?subject=user:999999')).events).toEqual([])
    expect((await list('?subject=catalogue')).events).toEqual([])

    const { id } = older ?? { id: 0 }
    await server().sql`update audit_events set at = '2020-01-02T03:04:05.678Z' where id = ${id}`
    const at = '2020-01-02T03:04:05Z'
    for (const [query, isThere] of [
      [`from=${at}&to=${at}`, true],
      ['from=2020-01-02&to=2020-01-02', true],
      ['from=2020-01-02T04:04:05%2B01:00&to=2020-01-02T03:04:05.678Z', true],
      ['to=2020-01-02T03:04:05.677Z', false],
      ['from=2020-01-02T03:04:06Z&to=2020-01-03', false],
      ['to=2020-01-01', false],
      ['from=2020-01-03&to=9999-12-31', false],
    ] as const)
      expect([
        query,
        (await list(`?${query}&actor=${a.id}&page_size=100`)).events.some((event) => event.id === id),
      ]).toEqual([query, isThere])
  })

  test('refuses unknown values', async () => {
    const answer = await ask(
      'GET',
      '/v1/audit?actor=alice&action=movie.deletd&subject=film:1&from=yesterday&to=2020-13-01&user=1&page_size=101',
    )
    expect([answer.status, answer.body.error]).toEqual([
      422,
      {
        actor: 'must be the id of a user',
        action: expect.stringContaining('did you mean "movie.deleted"'),
        subject: 'must be a kind and an id like movie:12, user:7 or key:3, or catalogue',
        from: 'must be a time like 2026-01-02T03:04:05Z, or a date like 2026-01-02',
        to: 'must be a time like 2026-01-02T03:04:05Z, or a date like 2026-01-02',
        user: 'is not a known parameter',
        page_size: 'must be between 1 and 100',
      },
    ])
    for (const time of [
      '0001-01-01T00:00:00%2B14:00',
      '9999-12-31T23:59:59-14:00',
      '2020-01-01T25:00:00Z',
      '2020-01-01 00:00',
    ])
      expect([time, (await ask('GET', `/v1/audit?to=${time}`)).status]).toEqual([time, 422])
  })

  test('loses events older than AUDIT_KEEP', async () => {
    const database = await createFilledDatabase()
    const kept = await withDb(database.config, async (db) => {
      await db.execute(`insert into audit_events (at, action, subject_kind, subject_name)
        select now() - make_interval(days => days), 'import', 'catalogue', days::text
        from unnest(array[399, 401]) as days`)
      await purgeEvents(db, 400 * 24 * 3600)
      return db.execute<{ name: string }>('select subject_name as name from audit_events')
    })
    expect(kept.map(({ name }) => name)).toEqual(['399'])
    await database.drop()
  })
})
