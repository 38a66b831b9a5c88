import { expect, test } from 'bun:test'
import { allVariables, redacted } from '../../src/config/config'
import { configOf, type Environment, POSTGRES, problemsOf, SECRET, SMTP } from '../support/config'

test('a JWT secret needs 32 bytes, and a short one is named by its position', () => {
  const problem = (place: string, bytes: number) =>
    `JWT_SECRET needs at least 32 bytes in each secret, and the ${place} secret has ${bytes}: ` +
    'make one with `openssl rand -base64 48`'
  expect(problemsOf({ JWT_SECRET: 's'.repeat(31) })).toEqual([problem('1st', 31)])
  expect(problemsOf({ JWT_SECRET: `${SECRET},short,` })).toEqual([problem('2nd', 5), problem('3rd', 0)])
  const tooMany = `${`${SECRET},`.repeat(10)}x${`,${SECRET}`.repeat(11)},y`
  expect(problemsOf({ JWT_SECRET: tooMany })).toEqual([problem('11th', 1), problem('23rd', 1)])
  expect(problemsOf({ JWT_SECRET: `${SECRET}\uFFFD` })).toHaveLength(1)
})

const wrongDatabaseUrls = [
  'mysql://app:hunter2@db/redlight',
  'postgres:app:hunter2',
  'postgres://app:hunter2/x@db/redlight',
  'postgres://app:12#hunter2@db/redlight',
  'postgres://app:12?hunter2@db/redlight',
  'postgres://app:hunter2%zz@db/redlight',
  'postgres://app:hunter2@db/red#light',
  'postgres://app:hunter2@db:99999/redlight',
  'postgres://app:hunter2@one,two:x/redlight',
  'postgres://app:hunter2@[::g]:5432/redlight',
  'postgres://db/redlight?user=app&password=hunter2&hunter2=x',
  'postgres://db/redlight?password=x&hunter2',
  'postgres://db/redlight?password=x&sslmode=hunter2',
  'postgres://app:hunter2@db/redlight?target_session_attrs=hunter2x&password=x',
  'postgres://app:hunter2@d b/redlight',
]

test.each(wrongDatabaseUrls)('the database %s is refused', (url) => {
  expect(problemsOf({ ...POSTGRES, DATABASE_URL: url })).toEqual([
    expect.stringMatching(/^DATABASE_URL (must (be an address|have a port)|has )/),
  ])
})

test('no problem shows a secret', () => {
  const environments: Environment[] = [
    ...wrongDatabaseUrls.map((url) => ({ DATABASE_URL: url })),
    { ...POSTGRES, DATABASE_REPLICA_URLS: `postgres://app@one,${wrongDatabaseUrls.join()}` },
    { ...POSTGRES, DATABASE_POOLER: 'transaction', DATABASE_DIRECT_URL: 'mysql://app:hunter2@db' },
    { REDIS_URL: 'http://:hunter2@cache' },
    { REDIS_URL: 'redis://:hunter2/x@cache' },
    { JWT_SECRET: 'hunter2' },
    { ...SMTP, SMTP_USERNAME: 'app', SMTP_PASSWORD: 'hunter2\n' },
    { SMTP_PASSWORD: 'hunter2' },
    { SMTP_HOST: 'smtp://app:hunter2@mail' },
    { PUBLIC_URL: 'https://app:hunter2@movies.example' },
    { CORS_TRUSTED_ORIGINS: 'https://app:hunter2@movies.example' },
    ...allVariables.map(({ name }) => ({ [`${name}_FILE`]: '/control' })),
    ...['PORT', 'JWT_TTL', 'LOG_LEVEL', 'TRUSTED_PROXIES'].map((name) => ({ [`${name}_FILE`]: '/file' })),
  ]
  const files = { '/control': '\u0001hunter2', '/file': 'hunter2' }
  for (const environment of environments)
    expect(problemsOf(environment, files).join()).toMatch(/^(?!.*hunter2)./s)
})

test('a printed configuration of several machines has no secret', () => {
  const database = (host: string) => `postgres://app:hunter2@${host}/db`
  const config = configOf({
    ...POSTGRES,
    DATABASE_POOLER: 'transaction',
    DATABASE_DIRECT_URL: database('direct'),
    DATABASE_REPLICA_URLS: `${database('one')},${database('two')}`,
    REDIS_URL: 'redis://:hunter2@cache:6379/1',
  })
  const printed = JSON.stringify(redacted(config))
  expect(printed).not.toContain('hunter2')
  for (const host of ['direct', 'one', 'two'])
    expect(printed).toContain(`postgres://app:[redacted]@${host}/db`)
  expect(printed).toContain('redis://:[redacted]@cache:6379/1')
})

test('a printed configuration has no secret', () => {
  const url =
    'postgres://app:hunter2@ss@one/db?sslmode=require&ssl%70assword=hunter3&password=hunter4&application_name=x'
  const config = configOf({
    DATABASE_URL: url,
    JWT_SECRET: `${SECRET},${SECRET}2`,
    ...SMTP,
    SMTP_USERNAME: 'red',
    SMTP_PASSWORD: 'hunter5',
  })
  const printed = redacted(config)
  expect(JSON.stringify(printed)).not.toMatch(/hunter|@ss|secret-of/)
  expect(printed).toEqual({
    ...config,
    database: {
      ...config.database,
      url: 'postgres://app:[redacted]@one/db?sslmode=require&ssl%70assword=[redacted]&password=[redacted]&application_name=x',
    },
    jwt: { secrets: ['[redacted]', '[redacted]'], ttlSeconds: 86_400, sessionTtlSeconds: 2_592_000 },
    smtp: { ...config.smtp, password: '[redacted]' },
  })
  const plain = configOf({ ...POSTGRES, ...SMTP, DATABASE_URL: 'postgres://app@one,two:5433/db' })
  expect(redacted(plain)).toEqual({
    ...plain,
    jwt: { secrets: ['[redacted]'], ttlSeconds: 86_400, sessionTtlSeconds: 2_592_000 },
  })
  expect(redacted(configOf({}))).toEqual({ ...configOf({}) })
})
