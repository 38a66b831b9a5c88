import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { checkEncryption } from '../../src/doctor/encryption'
import { dangers } from '../../src/doctor/settings'
import { migrations } from '../../src/migrations/migrations'
import { withDb } from '../support/backup'
import { databaseVariables, redlight } from '../support/command-line'
import { configOf } from '../support/config'
import { createFilledDatabase } from '../support/database'
import { startProgram } from '../support/program'
import { startTestServer, type TestServer } from '../support/server'
import { startSmtp } from '../support/smtp'

type Finding = { area: string; status: string; what: string; fix?: string }
const SECRET = 'kT9fz2QmX7bLw0RyVh4CjN8sEaUgPd6o'
let folder: string
let server: TestServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redlight-doctor-'))
  server = await startTestServer()
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

async function examine(env: Record<string, string>, ...args: string[]) {
  const { code, out, error } = await redlight(['doctor', '--json', ...args], env)
  const { ok, findings }: { ok: boolean; findings: Finding[] } = JSON.parse(out)
  expect(code).toBe(ok ? 0 : 1)
  expect(error === '').toBe(ok)
  return { text: out + error, of: (area: string) => findings.filter((finding) => finding.area === area) }
}
const beside = () => ({ ...databaseVariables(server.database.config), JWT_SECRET: SECRET })

describe('the doctor', () => {
  test('finds nothing wrong with a healthy service', async () => {
    const { code, out } = await redlight(['doctor'], beside())
    expect(code).toBe(0)
    expect(out).toMatch(/^ok {4}database {2}PostgreSQL \d+\.\d+ answers$/m)
    expect(out).toMatch(/^ok {4}schema {4}up to date$/m)
    expect(out).toMatch(/^ok {4}clock {5}agrees/m)
    expect(out).not.toContain('fail')
    expect(out).not.toContain('\x1b[')
  })

  test('does not create a missing database', async () => {
    const found = await examine({ DATA_DIR: join(folder, 'none') })
    expect(found.of('database')).toMatchObject([{ status: 'ok', what: expect.stringContaining('none yet') }])
    expect(await readdir(folder)).toEqual([])
  })

  test('lists every problem of the settings, without secrets', async () => {
    const env = {
      PORT: 'x',
      LOG_LEVEL: 'loud',
      DATABSE_URL: 'postgres://u:hunter2@h/d',
      JWT_SECRET: 'too-short-hunter2',
    }
    const found = await examine(env)
    expect(found.of('settings').filter(({ status }) => status === 'fail')).toHaveLength(3)
    expect(found.of('settings').filter(({ status }) => status === 'warn')).toMatchObject([
      { what: expect.stringContaining('DATABSE_URL') },
    ])
    expect(found.text).not.toContain('hunter2')
  })

  test('explains a missing database, without secrets', async () => {
    const found = await examine({ DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/d', JWT_SECRET: SECRET })
    expect(found.of('database')).toMatchObject([
      { status: 'fail', fix: expect.stringContaining('check that it is running') },
    ])
    expect(found.of('disk')).toHaveLength(1)
    expect(found.text).not.toContain('hunter2')
    expect(found.text).not.toContain(SECRET)
  })

  test('does not wait for a silent server', async () => {
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    const found = await examine({
      DATABASE_URL: `postgres://u@127.0.0.1:${silent.port}/d`,
      JWT_SECRET: SECRET,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(silent.port),
    })
    silent.stop(true)
    for (const area of ['database', 'mail']) expect(found.of(area)).toMatchObject([{ status: 'fail' }])
  })

  test('reports pending migrations, and a newer schema', async () => {
    const database = await createFilledDatabase()
    const last = migrations.at(-1)?.folderMillis
    const schemaAfter = async (change: ReturnType<typeof sql>) => {
      await withDb(database.config, (db) => db.execute(change))
      return (await examine(databaseVariables(database.config))).of('schema')
    }
    const record = sql.raw('drizzle.__drizzle_migrations')
    expect(await schemaAfter(sql`delete from ${record} where created_at = ${last}`)).toMatchObject([
      { status: 'warn', what: '1 migrations are pending' },
    ])
    expect(
      await schemaAfter(sql`insert into ${record} (hash, created_at) values ('x', 9999999999999)`),
    ).toMatchObject([{ status: 'fail', what: 'it is newer than this redlight' }])
    await database.drop()
  })

  test('signs in to the mail server, and sends a mail only on request', async () => {
    const smtp = await startSmtp({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, callback) =>
        username === 'movies' && password === 'hunter2 right'
          ? callback(null, { user: username })
          : callback(new Error('no')),
    })
    const env = (password: string) => ({
      ...beside(),
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(smtp.port),
      SMTP_USERNAME: 'movies',
      SMTP_PASSWORD: password,
    })
    expect((await examine(env('hunter2 right'))).of('mail')).toMatchObject([{ status: 'ok' }])
    expect(smtp.received).toEqual([])
    expect((await examine(env('hunter2 right'), '--send-test', 'alice@example.com')).of('mail')).toHaveLength(
      2,
    )
    expect(smtp.received).toHaveLength(1)
    const wrong = await examine(env('hunter2 wrong'))
    expect(wrong.of('mail')).toMatchObject([{ status: 'fail', what: expect.stringContaining('EAUTH') }])
    expect(wrong.text).not.toContain('hunter2')
    await smtp.stop()
  })

  const proxies: [env: Record<string, string>, status: string, words: string][] = [
    [{ PUBLIC_URL: 'https://movies.example' }, 'warn', 'TRUSTED_PROXIES is empty'],
    [{ PUBLIC_URL: 'https://movies.example', TRUSTED_PROXIES: '127.0.0.1' }, 'ok', 'are consistent'],
    [{ TRUSTED_PROXIES: '0.0.0.0/0' }, 'fail', 'trusts everyone'],
    [{ TRUSTED_PROXIES: '10.0.0.0/8,fc00::/7,::1,0.0.0.0' }, 'ok', 'are consistent'],
    [{ PUBLIC_URL: 'http://movies.example', HOST: '0.0.0.0' }, 'warn', 'unencrypted'],
  ]
  test.each(proxies)('judges %p', async (env, status, words) => {
    const found = await examine({ DATA_DIR: join(folder, 'none'), ...env })
    expect(found.of('proxies')).toMatchObject([{ status, what: expect.stringContaining(words) }])
  })

  const addresses: [url: string, status: string, words: string][] = [
    ['postgres://u:hunter2@192.0.2.1/d?sslmode=disable', 'warn', 'to 192.0.2.1 unencrypted: passwords'],
    ['postgres://u:hunter2@192.0.2.1:5433/d', 'warn', 'to 192.0.2.1:5433 unencrypted if it offers no TLS'],
    ['postgres://u:hunter2@192.0.2.1/d?sslmode=require', 'ok', 'encrypted, without checking its certificate'],
    ['postgres://u:hunter2@192.0.2.1/d?sslmode=verify-full', 'ok', 'its certificate is checked'],
    ['postgres://u:hunter2@127.0.0.1:1/d', 'ok', 'stays on this machine'],
    ['postgres://u:hunter2@%2Fnone/d', 'ok', 'stays on this machine'],
  ]
  test.each(addresses)('judges the connection to %p', async (DATABASE_URL, status, words) => {
    const config = configOf({ DATABASE_URL, JWT_SECRET: SECRET })
    expect(checkEncryption(config.database)).toMatchObject([{ status, what: expect.stringContaining(words) }])
  })

  test('warns of plain TCP to another machine', async () => {
    const DATABASE_URL = 'postgres://u:hunter2@redlight.invalid/d?sslmode=disable'
    const found = await examine({ DATABASE_URL, JWT_SECRET: SECRET })
    expect(found.of('tls')).toMatchObject([{ status: 'warn', fix: expect.stringContaining('verify-full') }])
    expect(found.text).not.toContain('hunter2')
  })

  test('warns of metrics for loopback alone, since clients of a local proxy look like loopback', async () => {
    const env = { DATA_DIR: join(folder, 'none'), METRICS_NETWORKS: '10.0.0.0/8,127.0.0.0/8' }
    expect((await examine(env)).of('metrics')).toMatchObject([
      { status: 'warn', what: expect.stringContaining('METRICS_NETWORKS has 127.0.0.0/8') },
    ])
    expect((await examine({ ...env, TRUSTED_PROXIES: '127.0.0.1' })).of('metrics')).toEqual([])
    expect((await examine({ ...env, METRICS_NETWORKS: '10.0.0.0/8' })).of('metrics')).toEqual([])
  })

  test.each(['0.0.0.0/0', '1.2.3.4/0', '10.0.0.1,0.0.0.0/1,128.0.0.0/1', '::/0', '0:0::0/0', '2000::/3'])(
    'treats %s as everyone',
    (networks) => {
      const found = dangers(configOf({ TRUSTED_PROXIES: networks, LIMITER_EXEMPT: networks }))
      expect(found.map(({ area, status }) => [area, status])).toEqual([
        ['proxies', 'fail'],
        ['limits', 'warn'],
      ])
      expect(dangers(configOf({ LIMITER_EXEMPT: networks, LIMITER_ENABLED: 'false' }))).toEqual([])
    },
  )

  test('accepts private networks and random secrets', () => {
    const own = '127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,fc00::/7,0.0.0.0'
    for (let round = 0; round < 1000; round++) {
      // The same each time: one random secret in 36,000 has 12345 in it.
      const drawn = new Bun.CryptoHasher('sha384').update(`drawn ${round}`).digest()
      const JWT_SECRET = [drawn.toString('base64'), drawn.toString('hex', 0, 16)].join()
      expect(dangers(configOf({ JWT_SECRET, TRUSTED_PROXIES: own, LIMITER_EXEMPT: own }))).toEqual([])
    }
  })

  test('reports limits that apply to nobody', async () => {
    const found = await examine({ DATA_DIR: join(folder, 'none'), LIMITER_EXEMPT: '10.0.0.0/8,::/0' })
    expect(found.of('limits')).toMatchObject([{ status: 'warn', what: expect.stringContaining('(::/0)') }])
  })

  test('shares its warnings with the start, which logs each danger, without secrets', async () => {
    const weak = ['a'.repeat(40), 'hunter2!'.repeat(5), `change-me-${SECRET}`]
    const program = await startProgram({
      DATA_DIR: join(folder, 'dangers'),
      PORT: '0',
      JWT_SECRET: [weak[0], SECRET, ...weak.slice(1)].join(),
      TRUSTED_PROXIES: '0.0.0.0/0',
      LIMITER_EXEMPT: '0.0.0.0/0',
    })
    await program.stop()
    const warned = program.lines.filter((line) => line.includes('"level":"warn"'))
    expect(warned.map((line) => JSON.parse(line).message)).toEqual([
      ...[1, 3, 4].map((number) =>
        expect.stringMatching(RegExp(`^secret ${number} of JWT_SECRET .*openssl rand`)),
      ),
      expect.stringMatching(/^TRUSTED_PROXIES trusts everyone .*; list only your own proxies$/),
      expect.stringMatching(/^LIMITER_EXEMPT exempts everyone .*; list only the networks/),
    ])
    for (const secret of weak) expect(program.lines.join()).not.toContain(secret)
  })

  test('finds secrets that are guessable or readable by others', async () => {
    const file = join(folder, 'jwt')
    await Bun.write(file, 'change-me-change-me-change-me-change-me')
    await chmod(file, 0o644)
    const env = { DATA_DIR: join(folder, 'none'), JWT_SECRET_FILE: file }
    const found = await examine(env)
    expect(found.of('secret')).toMatchObject([{ status: 'warn' }])
    expect(found.of('files')).toMatchObject([{ status: 'warn', fix: `chmod 600 ${file}` }])
    await chmod(file, 0o640)
    expect((await examine(env)).of('files')).toMatchObject([{ status: 'ok' }])
  })
})
