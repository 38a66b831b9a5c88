import { expect, test } from 'bun:test'
import { configOf, type Environment, POSTGRES, problemsOf, SECRET, SMTP } from '../support/config'

const accepted: [environment: Environment, part: object][] = [
  [
    { HOST: 'movies.local', PORT: '80' },
    { host: 'movies.local', port: 80, publicUrl: 'http://movies.local' },
  ],
  [{ HOST: '0.0.0.0', PORT: '65535' }, { publicUrl: 'http://localhost:65535' }],
  [{ HOST: '::' }, { host: '::', publicUrl: 'http://localhost:4000' }],
  [{ HOST: '2001:db8::1' }, { publicUrl: 'http://[2001:db8::1]:4000' }],
  [{ PORT: '0' }, { port: 0 }],
  [{ PUBLIC_URL: 'HTTPS://Movies.Example.com:443/api//' }, { publicUrl: 'https://movies.example.com/api' }],
  [{ ENVIRONMENT: 'prüfung 2' }, { environment: 'prüfung 2' }],
  [{ DATABASE_POOL_MAX: '1000', DATABASE_WAIT: '500ms' }, { database: { poolMax: 1000, waitMs: 500 } }],
  [{ DATA_DIR: '/var/lib/red light' }, { database: { dataDir: '/var/lib/red light' } }],
  [{ MIGRATE_ON_START: 'false' }, { migrateOnStart: false }],
  [{ JWT_SECRET: `${SECRET}, ${'é'.repeat(16)}` }, { jwt: { secrets: [SECRET, 'é'.repeat(16)] } }],
  [{ JWT_TTL: '2m' }, { jwt: { ttlSeconds: 120 } }],
  [{ JWT_TTL: '3000ms' }, { jwt: { ttlSeconds: 3 } }],
  [
    {
      ...SMTP,
      SMTP_PORT: '25',
      SMTP_USERNAME: 'red',
      SMTP_PASSWORD: 'p:@ss',
      SMTP_SENDER: '"A, B" <a@b.example>',
    },
    {
      smtp: {
        host: SMTP.SMTP_HOST,
        port: 25,
        username: 'red',
        password: 'p:@ss',
        sender: '"A, B" <a@b.example>',
      },
    },
  ],
  [{ ...SMTP, SMTP_SENDER: 'a@b.example' }, { smtp: { sender: 'a@b.example' } }],
  [{ MOVIES_UNIQUE_BY: 'title,year' }, { moviesUniqueBy: 'title,year' }],
  [{ DEFAULT_PERMISSIONS: 'movies:read, movies:read' }, { defaultPermissions: ['movies:read'] }],
  [{ LIMITER_ENABLED: 'false', LIMITER_RPS: '0' }, { limiter: { enabled: false, requestsPerSecond: 0 } }],
  [{ LIMITER_BURST: '1', LIMITER_SIGN_INS: '2' }, { limiter: { burst: 1, signInsPerMinute: 2 } }],
  [{ LIMITER_FAILED_SIGN_INS: '3' }, { limiter: { failedSignInsPerMinute: 3 } }],
  [{ LIMITER_ACCOUNT_FAILURES: '4' }, { limiter: { accountFailuresPerMinute: 4 } }],
  [{ LIMITER_REGISTRATIONS: '1000000' }, { limiter: { registrationsPerMinute: 1_000_000 } }],
  [{ LIMITER_MAILS_PER_MAILBOX: '6' }, { limiter: { mailsPerMailboxPerHour: 6 } }],
  [{ LIMITER_MAILS_PER_ADDRESS: '7' }, { limiter: { mailsPerAddressPerHour: 7 } }],
  [{ LIMITER_EXEMPT: '10.0.0.0/8,::1' }, { limiter: { exempt: ['10.0.0.0/8', '::1'] } }],
  [{ METRICS_NETWORKS: '10.0.0.0/8,::1' }, { metricsNetworks: ['10.0.0.0/8', '::1'] }],
  [{ TRUSTED_PROXIES: '192.0.2.1, 2001:db8::/128' }, { trustedProxies: ['192.0.2.1', '2001:db8::/128'] }],
  [
    { CORS_TRUSTED_ORIGINS: 'https://Bücher.example:443,http://localhost:3000,Capacitor://localhost' },
    {
      corsTrustedOrigins: ['https://xn--bcher-kva.example', 'http://localhost:3000', 'capacitor://localhost'],
    },
  ],
  [{ REDIS_URL: 'rediss://app:p%40ss@cache:6380/2' }, { redisUrl: 'rediss://app:p%40ss@cache:6380/2' }],
  [{ LOG_LEVEL: 'debug' }, { logLevel: 'debug' }],
  [
    { SHUTDOWN_DELAY: '1h', SHUTDOWN_TIMEOUT: '0s' },
    { shutdownDelayMs: 3_600_000, shutdownTimeoutMs: 0 },
  ],
]

test.each(accepted)('%j is accepted', (environment, part) => {
  expect(configOf(environment)).toMatchObject(part)
})

const refused: [name: string, values: string[], words: string][] = [
  [
    'HOST',
    ['a b', '[::1]', 'http://x', '256.1.1.1', '-x', 'fe80::1%eth0'],
    'must be a host name or an IP address',
  ],
  [
    'PORT',
    ['abc', '-1', '65536', '080', '4e3'],
    'must be a port number from 1 to 65535 (0 picks a free one)',
  ],
  [
    'PUBLIC_URL',
    ['x.example', 'ftp://x', 'http:x', 'http://x?a', 'http://x#a', 'http://u:p@x'],
    'must be an address like',
  ],
  ['ENVIRONMENT', ['x'.repeat(51), 'a\u200bb'], 'must be 1 to 50 printable characters'],
  ['DATABASE_POOL_MAX', ['0', '1001', '1.5'], 'must be a whole number from 1 to 1000'],
  ['DATABASE_POOLER', ['session', 'true'], 'must be transaction'],
  ['DATABASE_REPLICA_MAX_LAG', ['999ms', '6m', '5'], 'must be a duration from 1s to 5m'],
  [
    'REDIS_URL',
    [
      'cache:6379',
      'http://cache',
      'redis://',
      'redis://a:b#c@cache',
      'redis://cache/x',
      'redis://cache:99999',
    ],
    'must be an address like redis://',
  ],
  ['DATABASE_WAIT', ['30', '-1s', '2d', '25h', '1.5s'], 'must be a duration from 0s to 24h'],
  ['DATA_DIR', ['a\nb', 'a\0b'], 'must be one line of text'],
  ['MIGRATE_ON_START', ['yes', '1', 'TRUE'], 'must be true or false'],
  ['JWT_TTL', ['0s', '999ms', '8761h', '5'], 'must be a duration from 1s to 8760h'],
  ['JWT_TTL', ['1500ms'], 'must be a whole number of seconds'],
  ['SMTP_HOST', ['smtp://mail', 'mail:25', 'a,b'], 'must be a host name or an IP address'],
  ['SMTP_PORT', ['0', '65536', 'smtp'], 'must be a whole number from 1 to 65535'],
  [
    'SMTP_SENDER',
    ['Redlight', 'a@b, c@d', 'A, B <a@b>', 'A <a@b', '<a@b> x', 'a@b@c'],
    'must be a mail address',
  ],
  ['SMTP_SENDER', ['A <a@b>\r\nBcc: c@d'], 'must be one line of text'],
  ['MOVIES_UNIQUE_BY', ['year', 'title, year', 'year,title'], 'must be title or title,year'],
  [
    'DEFAULT_PERMISSIONS',
    ['movies:delete', 'movies:read,', 'Movies:read'],
    'must be movies:read or movies:write',
  ],
  ['DEFAULT_PERMISSIONS', ['admin', 'movies:read,admin'], 'must not hold admin'],
  ['LIMITER_ENABLED', ['off'], 'must be true or false'],
  ['LIMITER_BURST', ['0'], 'must be a whole number from 1 to 1000000 (LIMITER_RPS=0 is no limit)'],
  ...'RPS SIGN_INS FAILED_SIGN_INS ACCOUNT_FAILURES REGISTRATIONS MAILS_PER_MAILBOX MAILS_PER_ADDRESS'
    .split(' ')
    .map((name): [string, string[], string] => [
      `LIMITER_${name}`,
      ['-1', '0.5', '1000001', 'Infinity'],
      'must be a whole number from 0 to 1000000',
    ]),
  ...['LIMITER_EXEMPT', 'TRUSTED_PROXIES', 'METRICS_NETWORKS'].map((name): [string, string[], string] => [
    name,
    [
      '10.0.0.0/33',
      '::/129',
      '10.0.0',
      'x',
      '10.0.0.0/',
      '1.1.1.1/8/8',
      '1.1.1.1,',
      '::ffff:10.0.0.0/104',
      '::1/08',
    ],
    'must list IP addresses or networks',
  ]),
  [
    'CORS_TRUSTED_ORIGINS',
    [
      '*',
      'null',
      'x.example',
      'https://x/',
      'https://x/a',
      'https://*.x',
      'https://u:p@x',
      'https://x:99999',
    ],
    'must list origins like',
  ],
  ['LOG_LEVEL', ['verbose', 'INFO'], 'must be debug or info or warn or error'],
  ['SHUTDOWN_DELAY', ['61m', 'soon'], 'must be a duration from 0s to 1h'],
  ['SHUTDOWN_TIMEOUT', ['61m', '20'], 'must be a duration from 0s to 1h'],
]

/** Variables that another one needs. */
const around: Record<string, Environment> = {
  DATABASE_POOLER: { ...POSTGRES, DATABASE_DIRECT_URL: POSTGRES.DATABASE_URL },
  DATABASE_REPLICA_MAX_LAG: { ...POSTGRES, DATABASE_REPLICA_URLS: POSTGRES.DATABASE_URL },
}

test.each(refused)('%s refuses %j', (name, values, words) => {
  for (const value of values) {
    const problems = problemsOf({ ...(name.startsWith('SMTP_') ? SMTP : around[name]), [name]: value })
    expect([value, problems.length, problems[0]]).toEqual([
      value,
      1,
      expect.stringContaining(`${name} ${words}`),
    ])
  }
})
