import { expect, test } from 'bun:test'
import { allVariables, ConfigError, unknownVariable, unknownVariables } from '../../src/config/config'
import { configOf, POSTGRES, problemsOf, SECRET, SMTP } from '../support/config'

test('without variables, the defaults apply', () => {
  expect(configOf({})).toEqual({
    host: '127.0.0.1',
    port: 4000,
    publicUrl: 'http://127.0.0.1:4000',
    environment: 'development',
    database: { kind: 'embedded', dataDir: './data', poolMax: 10, waitMs: 30_000 },
    migrateOnStart: true,
    jwt: { secrets: undefined, ttlSeconds: 86_400, sessionTtlSeconds: 2_592_000 },
    smtp: undefined,
    moviesUniqueBy: 'title',
    defaultPermissions: ['movies:read', 'movies:write'],
    auditKeepSeconds: 34_560_000,
    site: { name: 'Redlight', url: 'http://127.0.0.1:4000' },
    limiter: {
      enabled: true,
      requestsPerSecond: 20,
      burst: 40,
      signInsPerMinute: 30,
      failedSignInsPerMinute: 10,
      accountFailuresPerMinute: 100,
      registrationsPerMinute: 30,
      mailsPerMailboxPerHour: 5,
      mailsPerAddressPerHour: 30,
      exempt: [],
      keyRequestsPerSecond: 20,
      keyBurst: 40,
    },
    anonymousRead: false,
    redisUrl: undefined,
    trustedProxies: [],
    metricsNetworks: undefined,
    corsTrustedOrigins: [],
    console: { enabled: true, posters: true },
    logLevel: 'info',
    shutdownDelayMs: 0,
    shutdownTimeoutMs: 20_000,
  })
})

test('an empty variable counts as not set', () => {
  const empty = allVariables.flatMap(({ name }) => [name, `${name}_FILE`].map((key) => [key, '']))
  expect(configOf(Object.fromEntries(empty))).toEqual(configOf({}))
})

test('DATABASE_URL and SMTP_HOST change the defaults that depend on them', () => {
  expect(configOf({ ...POSTGRES, ...SMTP, PUBLIC_URL: 'https://movies.example.com' })).toMatchObject({
    environment: 'production',
    database: { kind: 'postgres', url: POSTGRES.DATABASE_URL, poolMax: 10, waitMs: 30_000 },
    jwt: { secrets: [SECRET] },
    smtp: {
      port: 587,
      username: undefined,
      password: undefined,
      sender: 'Redlight <no-reply@movies.example.com>',
    },
  })
  expect(configOf(SMTP).smtp?.sender).toBe('Redlight <no-reply@localhost>')
  expect(configOf({ ...SMTP, HOST: '::1' }).smtp?.sender).toBe('Redlight <no-reply@localhost>')
})

test('all problems are reported at once, one per line', () => {
  const environment = {
    PORT: 'abc',
    LOG_LEVEL: 'loud',
    DATABASE_URL: POSTGRES.DATABASE_URL,
    SMTP_PORT: '25',
    TRUSTED_PROXIES: 'x,10.0.0.1,y',
    JWT_TTL_FILE: '/run/ttl',
  }
  const problems = [
    'PORT must be a port number from 1 to 65535 (0 picks a free one), not "abc"',
    'JWT_SECRET is required with DATABASE_URL: set it, or JWT_SECRET_FILE, to what `openssl rand -base64 48` prints',
    "JWT_TTL_FILE names a file that can't be read (ENOENT): /run/ttl",
    'SMTP_PORT is set without SMTP_HOST: set SMTP_HOST, or unset SMTP_PORT',
    'TRUSTED_PROXIES must list IP addresses or networks like 10.0.0.0/8 or 2001:db8::/32, not "x"',
    'TRUSTED_PROXIES must list IP addresses or networks like 10.0.0.0/8 or 2001:db8::/32, not "y"',
    'LOG_LEVEL must be debug or info or warn or error, not "loud"',
  ]
  expect(problemsOf(environment)).toEqual(problems)
  expect(() => configOf(environment)).toThrow(new ConfigError(problems))
})

test('a long or odd value is shortened and escaped', () => {
  expect(problemsOf({ LOG_LEVEL: `"${'x'.repeat(99)}` })[0]).toEndWith(`, not "\\"${'x'.repeat(59)}…"`)
})

test('variables of several machines go together', () => {
  const url = 'postgres://app:hunter2@db/redlight'
  expect(problemsOf({ DATABASE_POOLER: 'transaction', DATABASE_REPLICA_MAX_LAG: '2s' })).toEqual([
    'DATABASE_POOLER is set without DATABASE_URL: set DATABASE_URL, or unset DATABASE_POOLER',
    'DATABASE_POOLER is set without DATABASE_DIRECT_URL: set DATABASE_DIRECT_URL, or unset DATABASE_POOLER',
    'DATABASE_REPLICA_MAX_LAG is set without DATABASE_REPLICA_URLS: set DATABASE_REPLICA_URLS, or unset DATABASE_REPLICA_MAX_LAG',
  ])
  expect(problemsOf({ ...POSTGRES, DATABASE_DIRECT_URL: url })).toEqual([
    'DATABASE_DIRECT_URL is set without DATABASE_POOLER: set DATABASE_POOLER, or unset DATABASE_DIRECT_URL',
  ])
  expect(problemsOf({ DATABASE_REPLICA_URLS: url })).toEqual([
    'DATABASE_REPLICA_URLS is set without DATABASE_URL: set DATABASE_URL, or unset DATABASE_REPLICA_URLS',
  ])
  const pooled = { ...POSTGRES, DATABASE_POOLER: 'transaction', DATABASE_DIRECT_URL: url }
  expect(configOf(pooled).database).toMatchObject({ directUrl: url, replicas: undefined })
  expect(configOf({ ...POSTGRES, DATABASE_REPLICA_URLS: `${url}, ${url}2` }).database).toMatchObject({
    replicas: { urls: [url, `${url}2`], maxLagMs: 5000 },
  })
})

test('SMTP variables go together', () => {
  for (const name of ['SMTP_PORT', 'SMTP_USERNAME', 'SMTP_PASSWORD', 'SMTP_SENDER'])
    expect(problemsOf({ [name]: '25' })).toEqual([
      `${name} is set without SMTP_HOST: set SMTP_HOST, or unset ${name}`,
    ])
  for (const name of ['SMTP_USERNAME', 'SMTP_PASSWORD'])
    expect(problemsOf({ ...SMTP, [name]: 'x' })).toEqual([
      'SMTP_USERNAME and SMTP_PASSWORD go together: set both, or neither',
    ])
})

test('every variable can come from a file, and one newline at its end is dropped', () => {
  for (const { name } of allVariables) {
    const path = `/run/secrets/${name}`
    expect([name, problemsOf({ ...(name === 'SMTP_HOST' ? {} : SMTP), [`${name}_FILE`]: path })]).toEqual([
      name,
      expect.arrayContaining([`${name}_FILE names a file that can't be read (ENOENT): ${path}`]),
    ])
  }
  for (const newline of ['', '\n', '\r\n'])
    expect(configOf({ PORT: '', PORT_FILE: '/p' }, { '/p': `81${newline}` }).port).toBe(81)
  expect(problemsOf({ PORT_FILE: '/p' }, { '/p': '81\n\n' })).toEqual([
    'PORT (from PORT_FILE) begins or ends with white space, perhaps from a Windows line end: remove it',
  ])
  expect(problemsOf({ DATABASE_URL_FILE: '/d', JWT_SECRET: SECRET }, { '/d': '\n' })).toEqual([
    'DATABASE_URL_FILE names an empty file, /d: write the value into it, or unset DATABASE_URL_FILE',
  ])
  expect(problemsOf({ PORT: '80', PORT_FILE: '/p' }, { '/p': '80' })).toEqual([
    'PORT and PORT_FILE are both set: unset one of them',
  ])
  const files = { '/d': `${POSTGRES.DATABASE_URL}\n`, '/j': `${SECRET}\n` }
  expect(configOf({ DATABASE_URL_FILE: '/d', JWT_SECRET_FILE: '/j' }, files)).toEqual(configOf(POSTGRES))
})

test('a configuration is deeply frozen', () => {
  const thawed = (value: object): object[] => [
    ...(Object.isFrozen(value) ? [] : [value]),
    ...Object.values(value).flatMap((part) =>
      typeof part === 'object' && part !== null ? thawed(part) : [],
    ),
  ]
  expect(thawed(configOf({ ...POSTGRES, ...SMTP, TRUSTED_PROXIES: '::1' }))).toEqual([])
})

test('likely misspellings of variables are found, and variables of other programs ignored', () => {
  const known = Object.fromEntries(
    allVariables.flatMap(({ name }) => [name, `${name}_FILE`].map((key) => [key, ''])),
  )
  expect(unknownVariables({ ...known, PATH: '/bin', HOSTNAME: 'x', SMTP_GONE: undefined })).toEqual([])
  expect(unknownVariables({ SMTP_USER: 'x', LIMITER_RSP: '1', JWT_SECRETS_FILE: '' })).toEqual([
    'JWT_SECRETS_FILE',
    'LIMITER_RSP',
    'SMTP_USER',
  ])
  expect(
    unknownVariables({ DATABSE_URL: 'x', PUBLIC_URLL: 'x', LOGLEVEL: 'x', XPORT: '1', PWD: '/' }),
  ).toEqual(['DATABSE_URL', 'LOGLEVEL', 'PUBLIC_URLL'])
  expect(unknownVariable('SMTP_USER')).toBe('Ignoring unknown setting SMTP_USER. Did you mean SMTP_USERNAME?')
})
