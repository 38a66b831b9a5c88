import { isIP } from 'node:net'
import type { LogLevel } from '../log'
import type { CommonPermission } from '../permissions'
import { buildDatabase, type DatabaseConfig, redactedDatabase } from './database'
import { ConfigError, createReader, type Environment, type Reader } from './reader'
import { localUrl, REDACTED, redactUrl } from './values'
import { type UniqueBy, variables } from './variables'

export { ConfigError } from './reader'
export { allVariables, settingFiles, type UniqueBy, unknownVariable, unknownVariables } from './variables'

type Smtp = {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly sender: string
  /** Our name in EHLO; undefined means the host name of this machine. */
  readonly name: string | undefined
}

type Limiter = {
  readonly enabled: boolean
  readonly requestsPerSecond: number
  readonly burst: number
  readonly signInsPerMinute: number
  readonly failedSignInsPerMinute: number
  readonly accountFailuresPerMinute: number
  readonly registrationsPerMinute: number
  readonly mailsPerMailboxPerHour: number
  readonly mailsPerAddressPerHour: number
  readonly exempt: readonly string[]
  readonly keyRequestsPerSecond: number
  readonly keyBurst: number
}

export type Config = {
  readonly host: string
  readonly port: number
  /** Without a trailing slash. */
  readonly publicUrl: string
  /** Whose site it is: a name, and an address without a trailing slash. */
  readonly site: { readonly name: string; readonly url: string }
  readonly environment: string
  readonly database: DatabaseConfig
  readonly migrateOnStart: boolean
  /** Undefined only with the embedded database: a secret is generated and kept in its folder. */
  readonly jwt: {
    readonly secrets: readonly string[] | undefined
    readonly ttlSeconds: number
    readonly sessionTtlSeconds: number
  }
  /** Undefined: mails go to the log. */
  readonly smtp: Smtp | undefined
  readonly moviesUniqueBy: UniqueBy
  readonly defaultPermissions: readonly CommonPermission[]
  readonly auditKeepSeconds: number
  readonly limiter: Limiter
  /** Whether movies can be read without a token or a key. */
  readonly anonymousRead: boolean
  /** Undefined: each instance counts the limits by itself. */
  readonly redisUrl: string | undefined
  readonly trustedProxies: readonly string[]
  /** Undefined: anyone may ask for the metrics. */
  readonly metricsNetworks: readonly string[] | undefined
  readonly corsTrustedOrigins: readonly string[]
  /** The pages for browsers at / and below, and whether they show posters from other hosts. */
  readonly console: { readonly enabled: boolean; readonly posters: boolean }
  readonly logLevel: LogLevel
  readonly shutdownDelayMs: number
  readonly shutdownTimeoutMs: number
}

/** Reads the environment; throws a ConfigError with all problems. */
export function readConfig(environment: Environment, readFile: (path: string) => string): Config {
  const read = createReader(environment, readFile)
  const config = build(read)
  if (read.problems.length > 0) throw new ConfigError(read.problems)
  deepFreeze(config)
  return config
}

function build(read: Reader): Config {
  const host = read.value(variables.host)
  const port = read.value(variables.port)
  const publicUrl = read.optional(variables.publicUrl) ?? localUrl(host, port)
  const isPostgres = read.isSet(variables.databaseUrl)
  const siteName = read.value(variables.siteName)
  return {
    host,
    port,
    publicUrl,
    site: { name: siteName, url: read.optional(variables.siteUrl) ?? publicUrl },
    environment: read.optional(variables.environment) ?? (isPostgres ? 'production' : 'development'),
    database: buildDatabase(read),
    migrateOnStart: read.value(variables.migrateOnStart),
    jwt: {
      secrets: buildSecrets(read, isPostgres),
      ttlSeconds: read.value(variables.jwtTtl),
      sessionTtlSeconds: read.value(variables.sessionTtl),
    },
    smtp: buildSmtp(read, new URL(publicUrl).hostname, siteName),
    moviesUniqueBy: read.value(variables.moviesUniqueBy),
    defaultPermissions: read.value(variables.defaultPermissions),
    auditKeepSeconds: read.value(variables.auditKeep),
    limiter: buildLimiter(read),
    anonymousRead: read.value(variables.anonymousRead),
    redisUrl: read.optional(variables.redisUrl),
    trustedProxies: read.optional(variables.trustedProxies) ?? [],
    metricsNetworks: read.optional(variables.metricsNetworks),
    corsTrustedOrigins: read.optional(variables.corsTrustedOrigins) ?? [],
    console: { enabled: read.value(variables.console), posters: read.value(variables.posters) },
    logLevel: read.value(variables.logLevel),
    shutdownDelayMs: read.value(variables.shutdownDelay),
    shutdownTimeoutMs: read.value(variables.shutdownTimeout),
  }
}

function buildSecrets(read: Reader, isPostgres: boolean): readonly string[] | undefined {
  if (isPostgres && !read.isSet(variables.jwtSecret))
    read.problems.push(
      'JWT_SECRET is required with DATABASE_URL: set it, or JWT_SECRET_FILE, to what `openssl rand -base64 48` prints',
    )
  return read.optional(variables.jwtSecret)
}

function buildSmtp(read: Reader, publicHost: string, siteName: string): Smtp | undefined {
  const { smtpHost, smtpPort, smtpUsername, smtpPassword, smtpSender, smtpName } = variables
  if (!read.isSet(smtpHost)) {
    for (const variable of [smtpPort, smtpUsername, smtpPassword, smtpName, smtpSender])
      read.needs(variable, smtpHost)
    return undefined
  }
  if (read.isSet(smtpUsername) !== read.isSet(smtpPassword))
    read.problems.push('SMTP_USERNAME and SMTP_PASSWORD go together: set both, or neither')
  // An IP address can't be the domain of a mail address.
  const senderHost = isIP(publicHost) || publicHost.startsWith('[') ? 'localhost' : publicHost
  const name = read.optional(smtpName)
  const sender = read.optional(smtpSender) ?? `${senderName(siteName)} <no-reply@${senderHost}>`
  return {
    host: read.optional(smtpHost) ?? '',
    port: read.value(smtpPort),
    username: read.optional(smtpUsername),
    password: read.optional(smtpPassword),
    sender,
    name: name === undefined ? greetingOf(publicHost, sender) : greetingName(name),
  }
}

/** RFC 5322 section 3.2.4: a name with special characters is quoted; those that end the quotes go. */
const senderName = (name: string) =>
  /^[\w .!#$%&'*+/=?^`{|}~-]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '')}"`

/** Mail servers on the internet refuse a name without a dot, or a foreign IP address. */
function greetingOf(publicHost: string, sender: string): string | undefined {
  const domain = /@([^@>]+)>?$/.exec(sender)?.[1] ?? ''
  return [publicHost, domain].find((name) => isIP(name) === 0 && /^[^[]+\.[^.]/.test(name))
}

/** RFC 5321 section 4.1.3: an IP address is written in brackets. */
const greetingName = (name: string) => {
  const kind = isIP(name)
  return kind === 0 ? name : `[${kind === 6 ? 'IPv6:' : ''}${name}]`
}

function buildLimiter(read: Reader): Limiter {
  return {
    enabled: read.value(variables.limiterEnabled),
    requestsPerSecond: read.value(variables.limiterRps),
    burst: read.value(variables.limiterBurst),
    signInsPerMinute: read.value(variables.limiterSignIns),
    failedSignInsPerMinute: read.value(variables.limiterFailedSignIns),
    accountFailuresPerMinute: read.value(variables.limiterAccountFailures),
    registrationsPerMinute: read.value(variables.limiterRegistrations),
    mailsPerMailboxPerHour: read.value(variables.limiterMailsPerMailbox),
    mailsPerAddressPerHour: read.value(variables.limiterMailsPerAddress),
    exempt: read.optional(variables.limiterExempt) ?? [],
    keyRequestsPerSecond: read.value(variables.limiterKeyRps),
    keyBurst: read.value(variables.limiterKeyBurst),
  }
}

function deepFreeze(value: object) {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) deepFreeze(part)
  Object.freeze(value)
}

/** The configuration without secrets, for printing. */
export function redacted(config: Config): Record<string, unknown> {
  const { database, jwt, smtp, redisUrl } = config
  return {
    ...config,
    database: redactedDatabase(database),
    redisUrl: redisUrl && redactUrl(redisUrl),
    jwt: { ...jwt, secrets: jwt.secrets?.map(() => REDACTED) },
    smtp: smtp && { ...smtp, password: smtp.password && REDACTED },
  }
}
