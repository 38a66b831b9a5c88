import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { canStartHaproxy, type Member, startHaproxy, startMember } from '../support/haproxy'
import { canStartPostgres, type PostgresServer, startPostgres, untilItAnswers } from '../support/postgres'
import { startReplica } from '../support/replica'
import { aMovie, startTestServer, type TestServer, type TestUser } from '../support/server'
import { until } from '../support/until'

// A primary and a standby behind deploy/haproxy.cfg; the primary freezes, the standby takes over, the old one wakes.

setDefaultTimeout(240_000)

describe.skipIf(!(canStartPostgres && canStartHaproxy))('behind HAProxy, when the primary moves', () => {
  let old: PostgresServer
  let next: Awaited<ReturnType<typeof startReplica>>
  let members: Member[]
  let haproxy: Awaited<ReturnType<typeof startHaproxy>>
  let server: TestServer
  let alice: TestUser
  const acknowledged: string[] = []

  beforeAll(async () => {
    // Synchronous, so that acknowledged writes are on both.
    old = await startPostgres({ fsync: 'off' })
    next = await startReplica(old)
    await old.admin("alter system set synchronous_standby_names = '*'")
    await old.admin('select pg_reload_conf()')
    await untilSynchronous()
    members = [startMember(old.port, true), startMember(Number(next.name.split(':')[1]), false)]
    haproxy = await startHaproxy(members)
    // HAProxy assumes that each server is healthy until it has checked it.
    const url = `${old.url('redlight', { port: haproxy.port })}?target_session_attrs=primary`
    await untilItAnswers(url)
    server = await startTestServer({}, { database: old.database({ url, waitMs: 20_000 }) })
    alice = await server.newUser()
  })
  afterAll(async () => {
    await old?.thaw().catch(() => {})
    await server?.stop()
    await haproxy?.dispose()
    for (const member of members ?? []) member.stop()
    await next?.dispose()
    await old?.dispose()
  })

  /** Otherwise the first writes would wait for a standby that isn't connected yet. */
  const untilSynchronous = () =>
    until(
      async () => (await old.admin("select from pg_stat_replication where sync_state = 'sync'")).count > 0,
    )

  async function write(title: string) {
    const { status } = await server.request('POST', '/v1/movies', {
      token: alice.token,
      body: aMovie(title),
    })
    if (status === 201) acknowledged.push(title)
    else expect([title, status]).toEqual([title, 503])
    return status
  }
  async function writeUntilTaken(title: string) {
    for (let tries = 0; tries < 100; tries++) if ((await write(`${title} ${tries}`)) === 201) return
    throw new Error(`no write is taken: ${title}`)
  }
  const titles = async (rows: PromiseLike<Iterable<Record<string, unknown>>>) =>
    [...(await rows)].map(({ title }) => String(title))
  const QUESTION = "select title from movies where title like 'Moving%' order by id"

  test('writes succeed again, all acknowledged ones exist, and the old primary gets none', async () => {
    for (let i = 0; i < 5; i++) expect(await write(`Moving before ${i}`)).toBe(201)
    await old.freeze()
    // Requests in flight now wait for a silent server.
    const waiting = [0, 1, 2].map((i) => write(`Moving meanwhile ${i}`))
    members[0]?.become(false)
    await next.order('select pg_promote()')
    // The former standby has no clients left.
    await next.order('alter system reset synchronous_standby_names')
    await next.order('select pg_reload_conf()')
    members[1]?.become(true)
    await Promise.all(waiting)
    await writeUntilTaken('Moving after')
    await old.thaw()
    await old.admin('alter system reset synchronous_standby_names')
    await old.admin('select pg_reload_conf()')
    for (let i = 0; i < 20; i++) await writeUntilTaken(`Moving once it woke ${i}`)

    const onNext = await titles(next.order(QUESTION))
    expect(acknowledged.filter((title) => !onNext.includes(title))).toEqual([])
    const onOld = await titles(old.admin(QUESTION))
    expect(
      onOld.filter((title) => acknowledged.includes(title) && !title.startsWith('Moving before')),
    ).toEqual([])
  })
})
