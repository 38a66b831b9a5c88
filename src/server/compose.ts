import { hostname } from 'node:os'
import { createAuthenticator, PRINCIPAL_CHANNEL } from '../access/authenticator'
import { createJwt } from '../access/jwt'
import { issueToken } from '../access/mail-token-store'
import { createPasswords } from '../access/passwords'
import { findKeyOwner, findPrincipal } from '../access/store'
import { sortNewWords } from '../catalogue/words-store'
import type { Config } from '../config/config'
import type { Db } from '../db/client'
import { createMetrics } from '../health/metrics'
import { createCors } from '../http/cors'
import { createKeysService } from '../keys/service'
import { createClientAddresses } from '../limits/client-address'
import { createMetricsAccess } from '../limits/metrics-access'
import { createOriginLog } from '../limits/origin-log'
import { createLimiter } from '../limits/rate-limit'
import { openSharedCounts } from '../limits/shared-counts'
import type { Log } from '../log'
import { createLogMailer, createSmtpMailer, type Mailer } from '../mail/mailer'
import { startOutbox } from '../mail/outbox'
import { countMails } from '../mail/store'
import type { OpenDatabase } from '../opening/open'
import { createProbe } from '../opening/probe'
import { createOperatorsService } from '../operators/service'
import { openReplicas, type Reads } from '../replicas/reads'
import { createTokensService } from '../tokens/service'
import { createAccountService } from '../users/account-service'
import { createUsersService } from '../users/service'
import { withDeadline } from '../waiting'
import { createApp } from './app'
import { jwtSecrets } from './jwt-secret'
import { startKeyUses } from './key-uses'
import { startSorting } from './new-words'
import { startPurge } from './purge'
import { version } from './version'

/** Leaves half a second of the five for everything that isn't waiting. */
const REQUEST_DEADLINE_MS = 4500
/** Shorter than the healthcheck's probe, which uses the same connection. */
const COUNT_MS = 500

/**
 * Clocks of limits and tokens, the longest wait for a count in Redis, and the pace of figures, all in
 * milliseconds.
 */
export type Timing = {
  readonly now: () => number
  readonly date: () => number
  readonly countMs?: number
  readonly figuresMs?: number
}
export const realTime: Timing = { now: () => performance.now(), date: Date.now }

/** What every part is built from, and the stack that closes the parts. */
type Site = {
  readonly config: Config
  readonly database: OpenDatabase
  readonly log: Log
  readonly timing: Timing
  readonly opened: AsyncDisposableStack
}

export async function compose(given: Omit<Site, 'opened'>, isShuttingDown: () => boolean) {
  const { config, database, log, timing } = given
  await using opened = new AsyncDisposableStack()
  const site = { ...given, opened }
  const { db } = database
  const replicas = openReads(site)
  const { passwords, jwt, authenticator } = await openAccess(site, replicas)
  const { mailIsDue, uses } = startWorkers(site)
  const { redisUrl } = config
  const counts = redisUrl === undefined ? undefined : await openSharedCounts(redisUrl, log, timing.countMs)
  opened.defer(() => counts?.close())
  const { probe, metrics } = observe(site, { passwords, replicas, limitsAreShared: counts?.isThere })

  const clientAddresses = createClientAddresses(config.trustedProxies, config.limiter.exempt)
  const shared = { db, passwords, forgetPrincipal: authenticator.forget, mailIsDue }
  const operators = createOperatorsService(shared)
  const app = createApp({
    config,
    db,
    replicas,
    users: createUsersService({ ...shared, defaultPermissions: config.defaultPermissions }),
    account: createAccountService({ ...shared, jwt, removeUser: operators.remove }),
    operators,
    tokens: createTokensService({ ...shared, jwt }),
    keys: createKeysService(shared),
    keyUsed: uses.used,
    anonymousRead: config.anonymousRead,
    authenticator,
    limiter: createLimiter(config.limiter, timing.now, counts),
    // A query of the embedded database can't be cancelled, so a deadline would be useless.
    deadlineMs: config.database.kind === 'postgres' ? REQUEST_DEADLINE_MS : Number.POSITIVE_INFINITY,
    clientAddresses,
    cors: createCors({
      trustedOrigins: config.corsTrustedOrigins,
      trustsLoopback: config.environment === 'development',
      refused: createOriginLog({ ownOrigin: new URL(config.publicUrl).origin, log, now: timing.now }),
    }),
    metrics,
    metricsAccess: createMetricsAccess(config.metricsNetworks, clientAddresses),
    health: { version, environment: config.environment, condition: probe.condition, isShuttingDown },
    instance: `${hostname()}:${config.port}`,
    log,
  })
  const parts = opened.move()
  return { app, close: () => parts.disposeAsync() }
}

function openReads({ config, database: { db: primary, probeDb }, log, opened }: Site): Reads | undefined {
  const { database } = config
  if (database.kind !== 'postgres' || database.replicas === undefined) return undefined
  const reads = openReplicas({ ...database.replicas, primary, probeDb, poolMax: database.poolMax, log })
  opened.defer(() => reads.close())
  return reads
}

/** Authentication, kept current by the database's notifications. */
async function openAccess({ config, database, timing, opened }: Site, replicas: Reads | undefined) {
  const { db } = database
  const jwt = createJwt({
    secrets: jwtSecrets(config),
    ttlSeconds: config.jwt.ttlSeconds,
    sessionTtlSeconds: config.jwt.sessionTtlSeconds,
    nowSeconds: () => timing.date() / 1000,
  })
  const authenticator = createAuthenticator({
    jwt,
    load: (userId) => findPrincipal(db, userId),
    findKey(hash) {
      const find = (db: Db) => findKeyOwner(db, hash)
      return replicas === undefined ? find(db) : replicas.orStale(() => find(db), find)
    },
    orStale: replicas && ((userId, load) => replicas.orStale(load, (db) => findPrincipal(db, userId))),
    isCurrent: () => channel.isCurrent(),
  })
  const channel = await database.openChannel(PRINCIPAL_CHANNEL, {
    onMessage: authenticator.heard,
    onGap: authenticator.forgetAll,
  })
  opened.defer(() => channel.close())
  return { passwords: createPasswords(), jwt, authenticator }
}

function startWorkers({ config, database, log, timing, opened }: Site) {
  const { db } = database
  const mailer = createMailer(config, log)
  opened.defer(() => mailer.close())
  const outbox = startOutbox({
    db,
    mailer,
    issueToken: (userId, scope, recipient) =>
      issueToken(db, userId, scope, scope === 'email-change' ? recipient : undefined),
    publicUrl: config.publicUrl,
    site: config.site,
    log,
  })
  opened.defer(() => outbox.stop())
  opened.defer(startPurge(database.withoutTimeouts, config.auditKeepSeconds, log))
  opened.defer(startSorting(() => sortNewWords(db), log))
  const uses = startKeyUses(db, log, timing.date)
  opened.defer(() => uses.stop())
  return { mailIsDue: outbox.wake, uses }
}

type Observed = {
  readonly passwords: ReturnType<typeof createPasswords>
  readonly replicas: Reads | undefined
  readonly limitsAreShared: (() => boolean) | undefined
}

function observe({ config, database, log, timing, opened }: Site, observed: Observed) {
  const probe = createProbe({
    db: database.probeDb,
    readsElsewhere: observed.replicas?.canServe,
    isSteady: config.database.kind === 'postgres',
    log,
  })
  opened.defer(() => probe.stop())
  const metrics = createMetrics({
    version,
    pool: database.pool,
    isWritable: probe.isWritable,
    passwords: observed.passwords.load,
    mails: () => withDeadline(COUNT_MS, () => countMails(database.probeDb)),
    limitsAreShared: observed.limitsAreShared,
    replicas: observed.replicas,
    date: timing.date,
    figuresMs: timing.figuresMs,
  })
  opened.defer(() => metrics.stop())
  return { probe, metrics }
}

function createMailer({ smtp, database }: Config, log: Log): Mailer {
  if (smtp !== undefined) return createSmtpMailer(smtp)
  if (database.kind === 'postgres')
    log.warn('SMTP_HOST is not set: mails, with the tokens in them, are written to this log')
  return createLogMailer(log)
}
