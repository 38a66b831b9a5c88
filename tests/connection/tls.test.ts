import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { connect } from '../../src/db/client'
import { createLog } from '../../src/log'
import { makeCertificates } from '../support/certificates'
import { SECRET } from '../support/config'
import { failureOf } from '../support/embedded'
import { APP_PASSWORD, canStartPostgres, own, type PostgresServer, startPostgres } from '../support/postgres'
import { runProgram } from '../support/program'
import { startTestServer } from '../support/server'
import { until } from '../support/until'

// A PostgreSQL with a certificate from a private authority, and with a socket: the effect of each way to connect.

setDefaultTimeout(240_000)

describe.skipIf(!canStartPostgres)('a PostgreSQL with TLS', () => {
  let server: PostgresServer
  let certificates: Awaited<ReturnType<typeof makeCertificates>>
  let sockets: string
  const rules = `local all all scram-sha-256
hostssl all certified all cert
hostssl all encrypted all scram-sha-256
hostnossl all encrypted all reject
host all all all scram-sha-256
`
  beforeAll(async () => {
    certificates = await makeCertificates()
    sockets = await mkdtemp(join(tmpdir(), 'redlight-sockets-'))
    if (process.getuid?.() === 0) await own(sockets)
    server = await startPostgres({
      ssl: 'on',
      ssl_ca_file: certificates.path('ca.crt'),
      ssl_cert_file: certificates.path('server.crt'),
      ssl_key_file: certificates.path('server.key'),
      unix_socket_directories: sockets,
      listen_addresses: '127.0.0.1,::1',
    })
    for (const role of ['encrypted', 'certified'])
      await server.admin(`create role ${role} login password '${APP_PASSWORD}'`)
    await Bun.write(join(server.folder, 'data/pg_hba.conf'), rules)
    await server.restart('fast')
  })
  afterAll(async () => {
    await server?.dispose()
    for (const folder of [certificates?.folder, sockets]) if (folder) await rm(folder, { recursive: true })
  })

  const url = (host: string, parameters = '', user = 'app') =>
    `postgres://${user}:${encodeURIComponent(APP_PASSWORD)}@${host}:${server.port}/redlight?${parameters}`
  const root = (name = 'ca') => `sslrootcert=${certificates.path(`${name}.crt`)}`
  const client = (key = 'client') =>
    `sslcert=${certificates.path('client.crt')}&sslkey=${certificates.path(`${key}.key`)}`

  async function connectionOf(address: string) {
    const { db, close } = connect({ url: address }, { poolMax: 1, log: createLog('error', () => {}) })
    try {
      const [row] = await db.execute(sql`select ssl, client_dn as client, current_user as user,
        inet_client_addr() is null as "isSocket" from pg_stat_ssl where pid = pg_backend_pid()`)
      return row
    } finally {
      await close()
    }
  }

  test.each([
    ['disable', false],
    ['allow', true],
    ['prefer', true],
    ['require', true],
  ])('sslmode=%s: encrypted is %p', async (mode, ssl) => {
    expect(await connectionOf(url('127.0.0.1', `sslmode=${mode}`))).toMatchObject({ ssl })
  })

  test('the private authority is always checked, the name only with verify-full', async () => {
    const encrypted = { ssl: true }
    expect(await connectionOf(url('localhost', `sslmode=verify-full&${root()}`))).toMatchObject(encrypted)
    expect(await connectionOf(url('127.0.0.1', `sslmode=verify-ca&${root()}`))).toMatchObject(encrypted)
    expect(await connectionOf(url('127.0.0.1', `sslmode=require&${root()}`))).toMatchObject(encrypted)
    const failures = [
      url('127.0.0.1', `sslmode=verify-full&${root()}`),
      url('127.0.0.1', `sslmode=require&channel_binding=require&${root()}`),
      url('localhost', `sslmode=verify-ca&${root('other')}`),
      url('localhost', `sslmode=require&${root('other')}`),
      url('localhost', 'sslmode=verify-full'),
      url('localhost', 'sslrootcert=system'),
    ]
    for (const address of failures)
      expect([address, await failureOf(connectionOf(address))]).toEqual([
        address,
        expect.objectContaining({ cause: expect.objectContaining({ code: 'databaseUnavailable' }) }),
      ])
    expect(
      await connectionOf(url('localhost', `channel_binding=require&sslmode=require&${root()}`)),
    ).toMatchObject(encrypted)
  })

  test('a client certificate signs us in, even if its key has a pass phrase', async () => {
    const certified = { ssl: true, client: '/CN=certified', user: 'certified' }
    expect(await connectionOf(url('127.0.0.1', `sslmode=require&${client()}`, 'certified'))).toMatchObject(
      certified,
    )
    const locked = `${client('locked')}&sslpassword=a%20pass%20phrase`
    expect(await connectionOf(url('127.0.0.1', locked, 'certified'))).toMatchObject(certified)
  })

  test('sockets and IPv6 addresses are reached', async () => {
    const socket = { isSocket: true, user: 'app' }
    expect(await connectionOf(url(encodeURIComponent(sockets)))).toMatchObject(socket)
    expect(await connectionOf(url('', `host=${sockets}`))).toMatchObject(socket)
    expect(await connectionOf(url('[::1]'))).toMatchObject({ isSocket: false })
    expect(await connectionOf(url('[::1]', 'sslmode=require'))).toMatchObject({ ssl: true })
  })

  test('parameters for the client alone are not sent', async () => {
    const parameters = 'keepalives=1&keepalives_idle=30&connect_timeout=10&schema=public&gssencmode=disable'
    expect(await connectionOf(url('127.0.0.1', parameters))).toMatchObject({ user: 'app' })
  })

  test('a start reports a bad certificate in one line, without the password', async () => {
    const start = async (parameters: string, host = '127.0.0.1') => {
      const environment = { JWT_SECRET: SECRET, DATABASE_WAIT: '1h', DATABASE_URL: url(host, parameters) }
      const { exitCode, stderr } = await runProgram(environment, ['migrate'])
      expect(stderr).not.toContain(encodeURIComponent(APP_PASSWORD))
      return [exitCode, stderr]
    }
    expect(await start(`sslmode=verify-full&${root()}`)).toEqual([
      1,
      expect.stringMatching(/altnames.*: name the host in DATABASE_URL as its certificate does.*\n$/),
    ])
    expect(await start(`sslmode=verify-ca&${root('other')}`)).toEqual([
      1,
      expect.stringMatching(/certificate.*: name the file of the server's certificate authority.*\n$/),
    ])
    expect(await start(client('other'))).toEqual([
      1,
      expect.stringMatching(/^redlight migrate: DATABASE_URL names a key in sslkey that doesn't belong to/),
    ])
    await server.admin('alter system set ssl = off')
    await server.restart('fast')
    expect(await start('sslmode=require')).toEqual([
      1,
      expect.stringMatching(/the server has no TLS \(TLS_REFUSED\): turn TLS on there.*\n$/),
    ])
    expect(await connectionOf(url('127.0.0.1', 'sslmode=prefer'))).toMatchObject({ ssl: false })
    await server.admin('alter system set ssl = on')
    await server.restart('fast')
  })

  test('an encrypted service recovers after its database was away', async () => {
    const service = await startTestServer(
      {},
      { database: server.database({ url: url('localhost', `sslmode=verify-full&${root()}`) }) },
    )
    try {
      const { token } = await service.newUser()
      const status = async () => (await service.request('GET', '/v1/movies', { token })).status
      const many = () => Promise.all(Array.from({ length: 20 }, status))
      expect(new Set(await many())).toEqual(new Set([200]))
      const meanwhile = Promise.all(Array.from({ length: 5 }, many))
      await server.restart('immediate')
      for (const answer of (await meanwhile).flat()) expect([200, 503]).toContain(answer)
      await until(async () => (await status()) === 200)
      expect(new Set(await many())).toEqual(new Set([200]))
      expect(service.logLines().filter(({ level }) => level === 'error')).toEqual([])
    } finally {
      await service.stop()
    }
  })
})
