import { createAuthenticator, PRINCIPAL_CHANNEL } from '../access/authenticator'
import { createJwt } from '../access/jwt'
import { issueToken } from '../access/mail-token-store'
import { createPasswords } from '../access/passwords'
import { findPrincipal } from '../access/store'
import type { Config } from '../config/config'
import type { Db } from '../db/client'
import { createMetrics } from '../health/metrics'
import { createCors } from '../http/cors'
import { createClientAddresses } from '../limits/client-address'
import { createMetricsAccess } from '../limits/metrics-access'
import { createLimiter } from '../limits/rate-limit'
import { openSharedCounts } from '../limits/shared-counts'
import type { Log } from '../log'
import { createLogMailer, createSmtpMailer, type Mailer } from '../mail/mailer'
import { startOutbox } from '../mail/outbox'
import { countMails } from '../mail/store'
import { migrate } from '../migrations/migrate'
import { seedMovies, wantsInitialFilms } from '../movies/seed-store'
import { type OpenDatabase, openDatabase } from '../opening/open'
import { createProbe } from '../opening/probe'
import { openReplicas, type Reads } from '../replicas/reads'
import { createTokensService } from '../tokens/service'
import { createUsersService } from '../users/service'
import { withDeadline } from '../waiting'
import { createApp } from './app'
import { jwtSecrets } from './jwt-secret'
import { listen } from './listener'
import { startPurge } from './purge'
import { version } from './version'

/** Leaves half a second of the five for everything that is not waiting. */
const REQUEST_DEADLINE_MS = 4500
/** Less than the healthcheck's probe has, which asks over the same connection. */
const COUNT_PATIENCE_MS = 500

/** What the start found to do: migrations applied, initial films loaded. */
type Prepared = { readonly migrations: number; readonly films: number }
export type RunningServer = {
  /** Where it listens, whatever port was free. */
  readonly url: URL
  readonly prepared: Prepared
  /** Every route that the service knows. */
  readonly routes: readonly { readonly method: string; readonly path: string }[]
  /** Lets the requests under way finish, and leaves nothing behind. */
  stop(): Promise<void>
}

/** Opens the database, brings it up to date and serves; undone again when a step fails. */
export async function startServer(config: Config, log: Log): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack()
  const database = await openDatabase(config.database, log)
  opened.defer(() => database.close())
  const prepared = await database.patiently((db) => prepare(config, db, log))

  let isShuttingDown = false
  const { app, close } = await compose(config, database, log, () => isShuttingDown)
  opened.defer(close)
  const listener = listen(config, app.fetch, log)
  opened.defer(async () => {
    isShuttingDown = true
    await listener.stop()
  })
  const toStop = opened.move()
  return { url: listener.url, prepared, routes: app.routes, stop: () => toStop.disposeAsync() }
}

async function prepare({ migrateOnStart, database: { kind } }: Config, db: Db, log: Log): Promise<Prepared> {
  const onBlocked = () => log.warn('a migration finds its tables locked, and tries again')
  const migrations = migrateOnStart ? await migrate(db, { onBlocked }) : 0
  const seeds = kind === 'embedded' && (await wantsInitialFilms(db))
  return { migrations, films: seeds ? await seedMovies(db) : 0 }
}

/** Makes every part and hands each what it needs. */
async function compose(config: Config, database: OpenDatabase, log: Log, isShuttingDown: () => boolean) {
  const { db } = database
  await using opened = new AsyncDisposableStack()
  const passwords = createPasswords()
  const jwt = createJwt({
    secrets: jwtSecrets(config),
    ttlSeconds: config.jwt.ttlSeconds,
    nowSeconds: () => Date.now() / 1000,
  })
  const authenticator = createAuthenticator({
    jwt,
    load: (userId) => findPrincipal(db, userId),
    isCurrent: () => channel.isCurrent(),
  })
  const channel = await database.openChannel(PRINCIPAL_CHANNEL, {
    onMessage: authenticator.heard,
    onGap: authenticator.forgetAll,
  })
  opened.defer(() => channel.close())

  const mailer = createMailer(config, log)
  opened.defer(() => mailer.close())
  const outbox = startOutbox({
    db,
    mailer,
    issueToken: (userId, scope) => issueToken(db, userId, scope),
    publicUrl: config.publicUrl,
    log,
  })
  opened.defer(() => outbox.stop())
  opened.defer(startPurge(database.patiently, log))
  const replicas = openReads(config, database, log)
  opened.defer(() => replicas?.close())
  const counts = config.redisUrl === undefined ? undefined : await openSharedCounts(config.redisUrl, log)
  opened.defer(() => counts?.close())
  const metrics = createMetrics({
    version,
    pool: database.pool,
    passwords: passwords.load,
    mails: () => withDeadline(COUNT_PATIENCE_MS, () => countMails(database.aside)),
    limitsAreShared: counts?.isThere,
    replicas,
  })
  opened.defer(() => {
    metrics.stop()
  })

  const clientAddresses = createClientAddresses(config.trustedProxies, config.limiter.exempt)
  const shared = { db, passwords, forgetPrincipal: authenticator.forget, mailIsDue: outbox.wake }
  const app = createApp({
    config,
    db,
    replicas,
    users: createUsersService({ ...shared, defaultPermissions: config.defaultPermissions }),
    tokens: createTokensService({ ...shared, jwt }),
    authenticator,
    limiter: createLimiter(config.limiter, () => performance.now(), counts),
    // A query of the embedded database can't be cancelled, so waiting for it is all there is.
    deadlineMs: config.database.kind === 'postgres' ? REQUEST_DEADLINE_MS : Number.POSITIVE_INFINITY,
    clientAddresses,
    cors: createCors(config.corsTrustedOrigins),
    metrics,
    metricsAccess: createMetricsAccess(config.metricsNetworks, clientAddresses),
    health: {
      version,
      environment: config.environment,
      databaseAnswers: createProbe(database.aside),
      isShuttingDown,
    },
    log,
  })
  const parts = opened.move()
  return { app, close: () => parts.disposeAsync() }
}

function openReads({ database }: Config, { db: primary, aside }: OpenDatabase, log: Log): Reads | undefined {
  if (database.kind !== 'postgres' || database.replicas === undefined) return undefined
  return openReplicas({ ...database.replicas, primary, aside, poolMax: database.poolMax, log })
}

function createMailer({ smtp, database }: Config, log: Log): Mailer {
  if (smtp !== undefined) return createSmtpMailer(smtp)
  if (database.kind === 'postgres')
    log.warn('SMTP_HOST is not set: mails, with the tokens in them, are written to this log')
  return createLogMailer(log)
}
