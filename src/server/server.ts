import { INITIAL_MOVIES, isBare, seedMovies, wantsInitialMovies } from '../catalogue/seed-store'
import type { Config } from '../config/config'
import type { Db } from '../db/client'
import { OperatorError } from '../errors'
import type { Log } from '../log'
import { migrate } from '../migrations/migrate'
import { findUniqueBy, setUniqueBy } from '../migrations/unique-by'
import { openDatabase } from '../opening/open'
import { compose, realTime } from './compose'
import { listen } from './listener'

/** Work that startup did: migrations applied, initial movies loaded. */
type Prepared = { readonly migrations: number; readonly movies: number }
export type RunningServer = {
  /** Where it listens, with the actual port. */
  readonly url: URL
  readonly prepared: Prepared
  /** Resolves if the embedded database can't go on until the next start. */
  readonly failed: Promise<Error>
  readonly routes: readonly { readonly method: string; readonly path: string }[]
  /** Lets running requests finish, then closes everything. */
  stop(): Promise<void>
}

/** Opens the database, brings it up to date and serves; closes everything again when a step fails. */
export async function startServer(config: Config, log: Log, timing = realTime): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack()
  const database = await openDatabase(config.database, log)
  opened.defer(() => database.close())
  const prepared = await database.withoutTimeouts((db) => prepare(config, db, log))

  let isShuttingDown = false
  const { app, close } = await compose({ config, database, log, timing }, () => isShuttingDown)
  opened.defer(close)
  const listener = listen(config, app.fetch, log)
  database.servesAt(listener.url.origin)
  opened.defer(async () => {
    isShuttingDown = true
    await listener.stop()
  })
  const toStop = opened.move()
  const { failed } = database
  return { url: listener.url, prepared, failed, routes: app.routes, stop: () => toStop.disposeAsync() }
}

async function prepare(config: Config, db: Db, log: Log): Promise<Prepared> {
  const kind = config.database.kind
  const onBlocked = () => log.warn('a migration finds its tables locked, and tries again')
  const migrations = config.migrateOnStart ? await migrate(db, { onBlocked }) : 0
  await prepareUniqueBy(config, db, log, onBlocked)
  if (kind === 'postgres' && config.migrateOnStart && (await isBare(db)))
    log.info(
      `the catalogue is empty: "redlight seed" loads ${INITIAL_MOVIES} well-known movies to begin with`,
    )
  const seeds = kind === 'embedded' && (await wantsInitialMovies(db))
  return { migrations, movies: seeds ? await seedMovies(db) : 0 }
}

/** The existing index decides: startup continues with it when duplicate movies prevent another. */
async function prepareUniqueBy(
  { migrateOnStart, moviesUniqueBy: wanted }: Config,
  db: Db,
  log: Log,
  onBlocked: () => void,
) {
  try {
    if (migrateOnStart && (await setUniqueBy(db, wanted, onBlocked)))
      log.info('the unique rule of movies has changed', { by: wanted })
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    log.warn(error.message)
  }
  const found = await findUniqueBy(db)
  if (found !== undefined && found !== wanted)
    log.warn(
      `movies stay unique by ${found}: MOVIES_UNIQUE_BY=${wanted} is not applied yet, run "redlight migrate"`,
    )
}
