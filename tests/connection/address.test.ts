import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { connectionOf, serverName } from '../../src/connection/address'
import { driverOptions } from '../../src/connection/driver-options'
import { configOf, POSTGRES, problemsOf, SECRET } from '../support/config'
import { newFolder, removeFolders } from '../support/embedded'

// Connection strings as providers give them, and with common mistakes.

let folder: string
beforeAll(async () => {
  folder = await newFolder()
  await Bun.write(join(folder, 'text.pem'), 'not a certificate')
})
afterAll(removeFolders)

const problems = (url: string) => problemsOf({ DATABASE_URL: url, JWT_SECRET: SECRET })

const understood: [what: string, url: string, part: object][] = [
  [
    'Neon',
    'postgresql://app:pw@ep-a-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
    { database: 'neondb', tls: { mode: 'verify-full' } },
  ],
  [
    'Supabase',
    'postgresql://postgres:pw@db.ref.supabase.co:5432/postgres',
    { user: 'postgres', hosts: [{ host: 'db.ref.supabase.co', port: 5432 }], tls: { mode: 'prefer' } },
  ],
  [
    'Cloud SQL',
    'postgres://app:pw@/redlight?host=/cloudsql/project:europe-west1:movies',
    { socketPath: '/cloudsql/project:europe-west1:movies/.s.PGSQL.5432', tls: undefined, hosts: [] },
  ],
  [
    'Azure',
    'postgres://app%40server:pw@server.postgres.database.azure.com/redlight?sslmode=require',
    { user: 'app@server', tls: { mode: 'require' } },
  ],
  ['Heroku', 'postgres://u:p@ec2-1-2-3-4.compute.amazonaws.com:5432/d1', { tls: { mode: 'prefer' } }],
  [
    'a socket before the path',
    'postgres://app@%2Fvar%2Frun%2Fpostgresql:5433/redlight',
    { socketPath: '/var/run/postgresql/.s.PGSQL.5433' },
  ],
  [
    'a socket with a port',
    'postgres:///redlight?host=/run/pg&port=5434',
    { socketPath: '/run/pg/.s.PGSQL.5434', user: undefined },
  ],
  ['IPv6', 'postgres://app@[2001:db8::1]:5433/redlight', { hosts: [{ host: '2001:db8::1', port: 5433 }] }],
  [
    'several hosts',
    'postgres://app:p%2C@one,[::1]:5433,three/redlight?target_session_attrs=any',
    {
      hosts: [{ host: 'one' }, { host: '::1', port: 5433 }, { host: 'three' }],
      targetSessionAttrs: 'any',
      password: 'p,',
    },
  ],
  [
    'hosts and ports as parameters',
    'postgres://?host=one,two&port=1,2&user=app&password=p%26q&dbname=redlight&target_session_attrs=primary',
    {
      hosts: [
        { host: 'one', port: 1 },
        { host: 'two', port: 2 },
      ],
      user: 'app',
      password: 'p&q',
      database: 'redlight',
      targetSessionAttrs: 'primary',
    },
  ],
  [
    'Prisma',
    'postgres://app@db/redlight?schema=public&pgbouncer=false&connect_timeout=15',
    { connectTimeoutSeconds: 15, isPgBouncer: false },
  ],
  [
    'keepalives',
    'postgres://app@db/redlight?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=9000',
    { keepAliveSeconds: 30 },
  ],
  [
    'no keepalives',
    'postgres://app@db/redlight?keepalives=0&gssencmode=disable&client_encoding=utf8',
    { keepAliveSeconds: 0 },
  ],
  [
    'a name and options',
    'postgres://app@db/redlight?application_name=movies&options=endpoint%3Dep-a-1',
    { applicationName: 'movies', options: 'endpoint=ep-a-1' },
  ],
  [
    'a raw @ in the password',
    'postgres://app:p@ss@db/redlight',
    { password: 'p@ss', hosts: [{ host: 'db' }] },
  ],
  ['nothing but a database', 'postgres:///redlight', { hosts: [], user: undefined, tls: { mode: 'prefer' } }],
  ['no TLS on this machine', 'postgres://app@127.0.0.1/redlight', { tls: undefined }],
  ['no TLS', 'postgres://app@db/redlight?sslmode=disable', { tls: undefined }],
  ['allow', 'postgres://app@db/redlight?sslmode=allow', { tls: { mode: 'prefer' } }],
  [
    'empty parameters',
    'postgres://app@db/redlight?sslmode=&host=',
    { tls: { mode: 'prefer' }, database: 'redlight' },
  ],
  [
    'the system',
    'postgres://app@db/redlight?sslrootcert=system',
    { tls: { mode: 'verify-full', rootCert: 'system' } },
  ],
  ["the driver's own ssl", 'postgres://app@localhost/redlight?ssl=true', { tls: { mode: 'require' } }],
]

test.each(understood)('%s: %s is understood', (_, url, part) => {
  expect(problems(url)).toEqual([])
  expect(configOf({ ...POSTGRES, DATABASE_URL: url }).database).toMatchObject({ kind: 'postgres', url })
  expect(connectionOf(url)).toMatchObject(part)
})

const refused: [parameters: string, words: RegExp][] = [
  ['sslmode=typo', /^DATABASE_URL has sslmode="typo", which must be disable or allow or .* verify-full$/],
  ['sslmod=require', /unknown parameter "sslmod", did you mean "sslmode"\?$/],
  [
    'statement_timeout=1',
    /unknown parameter "statement_timeout": leave it out; .* options=-c%20name%3Dvalue$/,
  ],
  ['connection_limit=5', /connection_limit.*: set DATABASE_POOL_MAX instead$/],
  ['pool_timeout=5', /pool_timeout/],
  ['schema=movies', /has schema="movies", which must be public/],
  ['channel_binding=always', /channel_binding="always", which must be disable or prefer or require/],
  ['channel_binding=require&sslmode=disable', /has TLS turned off/],
  ['sslrootcert=system&sslmode=require', /sslrootcert=system, which goes with sslmode=verify-full only/],
  [
    'sslrootcert=/none.pem&sslmode=verify-full',
    /a file in sslrootcert that can't be read \(ENOENT\): \/none.pem$/,
  ],
  ['sslrootcert=/etc/hosts', /sslrootcert without checking the certificate: add sslmode=verify-full/],
  ['sslcert=/etc/hosts', /must have both sslcert and sslkey/],
  ['sslmode=require&ssl=true', /has both sslmode and ssl/],
  ['ssl_min_protocol_version=TLSv1', /ssl_min_protocol_version="TLSv1", which must be TLSv1.2 or TLSv1.3/],
  ['ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2', /over its ssl_max/],
  ['sslcrl=/x', /sslcrl.*leave it out/],
  ['target_session_attrs=write', /target_session_attrs="write", which must be any or/],
  ['connect_timeout=soon', /connect_timeout="soon", which must be a whole number from 0 to 3600/],
  ['client_encoding=LATIN1', /client_encoding="LATIN1", which must be UTF8/],
  ['sslmode=require&sslmode=disable', /a parameter twice/],
  ['sslmode', /a parameter twice, or one without a value/],
  ['port=0', /must have a port from 1 to 65535/],
  ['port=1,2', /one port, or as many as hosts/],
  ['host=/a,/b', /folder of a socket as its only host/],
  ['host=a%20b', /must name each host/],
  ['constructor=1', /unknown parameter "constructor"/],
  ['dbname=a%00b', /must be an address like/],
]

test.each(refused)('?%s is refused', (parameters, words) => {
  expect(problems(`postgres://app:pw@db/redlight?${parameters}`)).toEqual([expect.stringMatching(words)])
})

test('a file without a certificate is refused', () => {
  const file = join(folder, 'text.pem')
  expect(problems(`postgres://app@db/redlight?sslmode=verify-ca&sslrootcert=${file}`)).toEqual([
    `DATABASE_URL names a file in sslrootcert without a certificate in PEM: ${file}`,
  ])
})

test('a URL without a database is refused, and does not mean the database of the user', () => {
  const needsOne = 'DATABASE_URL must name its database, as in postgres://user:password@host:5432/redlight'
  for (const url of ['postgres://app@db', 'postgres://app@db/', 'postgres://app@db:1/?sslmode=require'])
    expect(problems(url)).toEqual([needsOne])
})

test('all problems are told at once', () => {
  const url = 'postgres://app:hunter2@db:0?sslmode=on&schema=x&hunter=1'
  expect(problemsOf({ DATABASE_URL: url, PORT: 'x' })).toHaveLength(7)
})

test('a URL with Prisma’s pgbouncer=true needs the settings for a pooler', () => {
  const pooled = 'postgres://app:pw@db:6543/redlight?pgbouncer=true'
  const direct = 'postgres://app:pw@db:5432/redlight'
  expect(problems(pooled)).toEqual([expect.stringMatching(/pgbouncer=true: set DATABASE_POOLER=transaction/)])
  const settings = { DATABASE_URL: pooled, JWT_SECRET: SECRET, DATABASE_POOLER: 'transaction' }
  expect(problemsOf({ ...settings, DATABASE_DIRECT_URL: direct })).toEqual([])
  expect(problemsOf({ ...settings, DATABASE_DIRECT_URL: pooled })).toEqual([
    expect.stringMatching(/must lead past PgBouncer/),
  ])
})

test('the driver gets no parameter that it would send to the server', () => {
  const options = driverOptions(
    'postgres://app:pw@one,[::1]:2/redlight?sslmode=disable&channel_binding=prefer&keepalives=0&application_name=movies',
  )
  expect(options).toEqual({
    host: 'one,[::1]:2',
    database: 'redlight',
    username: 'app',
    password: 'pw',
    ssl: false,
    keep_alive: 0,
    connection: { application_name: 'redlight movies' },
  })
})

test('a server is named without its user and password', () => {
  expect(serverName('postgres://app:hunter2@one:1,[::1]/d?password=hunter2')).toBe('one:1,[::1]')
  expect(serverName('postgres:///d')).toBe('localhost')
  expect(serverName('postgres:///d?host=/run')).toBe('/run/.s.PGSQL.5432')
})

test('the URLs in docs/OPERATIONS.md are understood, except for their missing files', async () => {
  const text = await Bun.file('docs/OPERATIONS.md').text()
  const [, chapter = ''] = /\n## The database's address\n([\s\S]*?)\n## /.exec(text) ?? []
  const addresses = [...chapter.matchAll(/`(postgres[^`]+)`/g)].map(([, address = '']) => address)
  expect(addresses.length).toBeGreaterThan(10)
  for (const address of addresses) {
    const here = address.replace(/sslrootcert=\/etc\/redlight\/[^&]+/, 'sslrootcert=system')
    expect([address, problems(here)]).toEqual([address, []])
  }
})
