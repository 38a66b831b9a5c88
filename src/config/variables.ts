import { databaseUrl } from '../connection/address'
import { logLevels } from '../log'
import { type CommonPermission, commonPermissions } from '../permissions'
import { closest } from '../rules/suggest'
import * as parse from './values'

export type Variable<T> = {
  readonly name: string
  /** In the words of the documentation; with hasDefault, the value itself. */
  readonly default: string
  readonly description: string
  readonly parse: parse.Parse<T>
}
export type VariableWithDefault<T> = Variable<T> & { readonly hasDefault: true }

/** A variable whose default follows the same rules as a given value. */
export const withDefault = <T>(
  name: string,
  value: string,
  parse: parse.Parse<T>,
  description: string,
): VariableWithDefault<T> => ({ name, default: value, description, parse, hasDefault: true })

/** A variable that may be absent; `whenAbsent` says what happens then. */
export const optional = <T>(
  name: string,
  whenAbsent: string,
  parse: parse.Parse<T>,
  description: string,
): Variable<T> => ({ name, default: whenAbsent, description, parse })

const uniqueRules = ['title', 'title,year'] as const
/** The fields that make a movie unique. */
export type UniqueBy = (typeof uniqueRules)[number]

const ofNewUsers: parse.Parse<CommonPermission> = (text, wrong) =>
  text === 'admin'
    ? wrong('must not hold admin, which every new user would get: grant it with "redlight users grant"')
    : parse.oneOf(commonPermissions)(text, wrong)
const MAX_RATE = 1_000_000
const rate = parse.integer(0, MAX_RATE, `a whole number from 0 to ${MAX_RATE} (0 is no limit)`)
const burst = parse.integer(1, MAX_RATE, `a whole number from 1 to ${MAX_RATE} (LIMITER_RPS=0 is no limit)`)
const keyBurst = parse.integer(
  1,
  MAX_RATE,
  `a whole number from 1 to ${MAX_RATE} (LIMITER_KEY_RPS=0 is no limit)`,
)
const port = parse.integer(0, 65535, 'a port number from 1 to 65535 (0 picks a free one)')

// biome-ignore format: a table, one variable a line
export const variables = {
  host: withDefault('HOST', '127.0.0.1', parse.host, 'address to listen on'),
  port: withDefault('PORT', '4000', port, 'port to listen on'),
  publicUrl: optional('PUBLIC_URL', 'http://HOST:PORT', parse.webUrl, 'address that mails point to; localhost stands for a wildcard HOST'),
  siteName: withDefault('SITE_NAME', 'Redlight', parse.label, 'whose site it is: in mails, pages and documents'),
  siteUrl: optional('SITE_URL', 'PUBLIC_URL', parse.webUrl, 'address of the site, where people are led after activation'),
  environment: optional('ENVIRONMENT', 'production with DATABASE_URL, else development', parse.label, 'shown by the healthcheck'),
  databaseUrl: optional('DATABASE_URL', 'none', databaseUrl, 'PostgreSQL database, postgres://user:password@host:5432/database'),
  databasePooler: optional('DATABASE_POOLER', 'none', parse.oneOf(['transaction']), 'transaction when DATABASE_URL leads to PgBouncer in that mode'),
  databaseDirectUrl: optional('DATABASE_DIRECT_URL', 'required with DATABASE_POOLER', databaseUrl, 'the same database past the pooler, for notifications and migrations'),
  databaseReplicaUrls: optional('DATABASE_REPLICA_URLS', 'none', parse.list(databaseUrl), 'streaming replicas that serve reads, separated by commas'),
  databaseReplicaMaxLag: withDefault('DATABASE_REPLICA_MAX_LAG', '5s', parse.milliseconds('1s', '5m'), 'how far behind a replica may be before the primary serves instead'),
  databasePoolMax: withDefault('DATABASE_POOL_MAX', '10', parse.integer(1, 1000), 'database connections at most'),
  databaseWait: withDefault('DATABASE_WAIT', '30s', parse.milliseconds('0s', '24h'), 'how long a start waits for the database'),
  dataDir: withDefault('DATA_DIR', './data', parse.path, 'folder of the embedded database; one process at a time'),
  migrateOnStart: withDefault('MIGRATE_ON_START', 'true', parse.boolean, 'whether serve migrates the database first'),
  jwtSecret: optional('JWT_SECRET', 'required with DATABASE_URL, else made once and kept in DATA_DIR', parse.secrets, 'at least 32 bytes; several, separated by commas, for rotation: the first signs, all verify'),
  jwtTtl: withDefault('JWT_TTL', '24h', parse.seconds('1s', '8760h'), 'how long an authentication token is good'),
  sessionTtl: withDefault('SESSION_TTL', '720h', parse.seconds('1s', '87600h'), 'how long a sign-in can be renewed'),
  smtpHost: optional('SMTP_HOST', 'none: mails go to the log', parse.host, 'mail server'),
  smtpPort: withDefault('SMTP_PORT', '587', parse.integer(1, 65535), 'port of the mail server'),
  smtpUsername: optional('SMTP_USERNAME', 'none', parse.line, 'user at the mail server'),
  smtpPassword: optional('SMTP_PASSWORD', 'none', parse.line, 'password at the mail server'),
  smtpName: optional('SMTP_NAME', 'host of PUBLIC_URL, else domain of SMTP_SENDER', parse.host, 'name that the mail server is greeted with'),
  smtpSender: optional('SMTP_SENDER', 'Redlight <no-reply@host of PUBLIC_URL>', parse.sender, 'whom mails come from'),
  moviesUniqueBy: withDefault('MOVIES_UNIQUE_BY', 'title', parse.oneOf(uniqueRules), 'title, or title,year where one title may stand for movies of different years'),
  defaultPermissions: withDefault('DEFAULT_PERMISSIONS', 'movies:read,movies:write', parse.list(ofNewUsers), 'permissions of a new user, separated by commas'),
  limiterEnabled: withDefault('LIMITER_ENABLED', 'true', parse.boolean, 'false turns all limits off'),
  limiterRps: withDefault('LIMITER_RPS', '20', rate, 'requests a second per address'),
  limiterBurst: withDefault('LIMITER_BURST', '40', burst, 'requests at once per address'),
  limiterSignIns: withDefault('LIMITER_SIGN_INS', '30', rate, 'sign-ins a minute per address'),
  limiterFailedSignIns: withDefault('LIMITER_FAILED_SIGN_INS', '10', rate, 'failed sign-ins a minute per name given and address'),
  limiterAccountFailures: withDefault('LIMITER_ACCOUNT_FAILURES', '100', rate, 'failed sign-ins a minute per account'),
  limiterRegistrations: withDefault('LIMITER_REGISTRATIONS', '30', rate, 'registrations a minute per address'),
  limiterMailsPerMailbox: withDefault('LIMITER_MAILS_PER_MAILBOX', '5', rate, 'mails asked for an hour per mailbox without its +tag'),
  limiterMailsPerAddress: withDefault('LIMITER_MAILS_PER_ADDRESS', '30', rate, 'mails asked for an hour per address'),
  limiterKeyRps: withDefault('LIMITER_KEY_RPS', '20', rate, 'requests a second per API key'),
  limiterKeyBurst: withDefault('LIMITER_KEY_BURST', '40', keyBurst, 'requests at once per API key'),
  limiterExempt: optional('LIMITER_EXEMPT', 'none', parse.list(parse.network), 'addresses or networks without limits, separated by commas'),
  anonymousRead: withDefault('ANONYMOUS_READ', 'false', parse.boolean, 'whether anyone may read movies, without a token or a key'),
  redisUrl: optional('REDIS_URL', 'none: each instance counts by itself', parse.redisUrl, 'Redis or Valkey, in which several instances count the limits together'),
  trustedProxies: optional('TRUSTED_PROXIES', 'none', parse.list(parse.network), 'proxies whose X-Forwarded-For counts: addresses or networks, separated by commas'),
  metricsNetworks: optional('METRICS_NETWORKS', 'any', parse.list(parse.network), 'who may ask for /metrics and /debug/vars: addresses or networks, separated by commas'),
  auditKeep: withDefault('AUDIT_KEEP', '400d', parse.seconds('1d', '36500d'), 'how long the audit trail is kept'),
  corsTrustedOrigins: optional('CORS_TRUSTED_ORIGINS', 'none', parse.list(parse.origin), 'origins whose pages may call the API, separated by commas'),
  console: withDefault('CONSOLE', 'true', parse.boolean, 'false takes the catalogue’s pages away: / is a list of links'),
  posters: withDefault('POSTERS', 'true', parse.boolean, 'false leaves out posters, which browsers fetch from other hosts'),
  logLevel: withDefault('LOG_LEVEL', 'info', parse.oneOf(logLevels), logLevels.join(', ')),
  shutdownDelay: withDefault('SHUTDOWN_DELAY', '0s', parse.milliseconds('0s', '1h'), 'how long the healthcheck says 503 before connections are refused'),
  shutdownTimeout: withDefault('SHUTDOWN_TIMEOUT', '20s', parse.milliseconds('0s', '1h'), 'how long requests may still take then'),
}

/** In the order of the README and the help; each can also be given as NAME_FILE. */
export const allVariables: readonly Variable<unknown>[] = Object.values(variables)

const OUR_PREFIX = /^(CORS|DATABASE|JWT|LIMITER|MOVIES|SHUTDOWN|SMTP)_/

const names = new Set(allVariables.flatMap(({ name }) => [name, `${name}_FILE`]))

// A short name, or one with more typos, is more likely another program's.
const MIN_LENGTH = 8
const MAX_SLIPS = 2
const looksLikeOurs = (name: string) =>
  OUR_PREFIX.test(name) || (name.length >= MIN_LENGTH && closest(name, names, MAX_SLIPS) !== undefined)

/** Variables that look like ours but aren't: probably misspelt, perhaps another program's. */
export const unknownVariables = (environment: Readonly<Record<string, string | undefined>>): string[] =>
  Object.keys(environment)
    .filter((name) => environment[name] !== undefined && !names.has(name) && looksLikeOurs(name))
    .sort()

/** The warning about one of these. */
export function unknownVariable(name: string): string {
  const meant = closest(name, names)
  return `Ignoring unknown setting ${name}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`
}

/** Paths given as NAME_FILE. */
export const settingFiles = (environment: Readonly<Record<string, string | undefined>>): string[] =>
  allVariables.flatMap(({ name }) => environment[`${name}_FILE`] || [])
