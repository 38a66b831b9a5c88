import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compareMovieCount, type MovieCount, recountMovies } from '../catalogue/counts-store'
import type { DatabaseConfig } from '../config/database'
import { databaseProblem } from '../db/errors'
import type { Log } from '../log'
import { inspectDatabase } from '../migrations/inspect'
import { openDatabaseBesideServer } from '../opening/open'
import { type Finding, fail, ok, warn } from './finding'

const AREA = 'database'
const OLDEST = 150_000
const CLOCK_WARN_MS = 2000
const CLOCK_FAIL_MS = 60_000

export async function checkDatabase(config: DatabaseConfig, log: Log, repairs = false): Promise<Finding[]> {
  // A check must not create a database.
  if (config.kind === 'embedded' && !existsSync(join(config.dataDir, 'pgdata')))
    return [ok(AREA, `none yet in ${config.dataDir}; the first "redlight serve" creates one`)]
  try {
    const database = await openDatabaseBesideServer({ ...config, waitMs: 0 }, log)
    try {
      const facts = await inspectDatabase(database.db)
      const isCurrent = facts.pending === 0 && !facts.isNewer
      const count = repairs && !facts.isReplica ? recountMovies : compareMovieCount
      const counts = isCurrent ? [judgeCount(await count(database.db), count === recountMovies)] : []
      return [...judge(facts), ...counts]
    } finally {
      await database.close()
    }
  } catch (error) {
    const line = databaseProblem(error) ?? (error instanceof Error ? error.message.split('\n')[0] : undefined)
    const [what = '', ...fix] = (line ?? 'it failed')
      .replace(/^the database failed: /, '')
      .split(/: (?=[^:]+$)/)
    return [fail(AREA, what, fix.join(': ') || 'check that it is running and that the settings are right')]
  }
}

function judge(facts: Awaited<ReturnType<typeof inspectDatabase>>): Finding[] {
  const { version, release, encoding, isReplica, hasUnaccent, offersUnaccent, hasIcu } = facts
  const findings = [
    version >= OLDEST
      ? ok(AREA, `PostgreSQL ${release} answers`)
      : fail(AREA, `PostgreSQL ${release} is too old`, 'upgrade it to 15 or newer'),
  ]
  if (isReplica) findings.push(fail(AREA, 'it is a read-only replica', 'set DATABASE_URL to the primary'))
  if (encoding !== 'UTF8')
    findings.push(
      fail(AREA, `its encoding is ${encoding}`, "create it again with: encoding 'UTF8' template template0"),
    )
  if (!hasUnaccent && !offersUnaccent)
    findings.push(
      fail(AREA, 'the extension unaccent is missing', 'install the contrib package of PostgreSQL'),
    )
  if (!hasIcu) findings.push(fail(AREA, 'it has no ICU collations', 'use a PostgreSQL built with ICU'))
  return [...findings, judgeSchema(facts), judgeClock(facts.clockAheadMs)]
}

function judgeSchema({ pending, isNewer }: { pending: number; isNewer: boolean }): Finding {
  if (isNewer)
    return fail('schema', 'it is newer than this redlight', 'use the newer version, or restore a backup')
  if (pending > 0)
    return warn(
      'schema',
      `${pending} migrations are pending`,
      '"redlight migrate", or the next "redlight serve", applies them',
    )
  return ok('schema', 'up to date')
}

function judgeCount({ found, counted, wrongBlocks }: MovieCount, isRepaired: boolean): Finding {
  if (wrongBlocks === 0) return ok('count', `total_records is correct: ${found}`)
  const where = counted === found ? `, correct in total but not in ${wrongBlocks} blocks of ids` : ''
  const what = `total_records was ${counted}, but there are ${found} movies${where}`
  return isRepaired
    ? ok('count', `${what}: corrected`)
    : warn('count', what, 'run "redlight doctor --repair", or wait for the daily purge')
}

function judgeClock(aheadMs: number): Finding {
  const off = Math.abs(aheadMs)
  if (off < CLOCK_WARN_MS) return ok('clock', "agrees with the database's")
  const what = `the database's is ${(off / 1000).toFixed(1)} s ${aheadMs > 0 ? 'ahead' : 'behind'}`
  return (off < CLOCK_FAIL_MS ? warn : fail)(
    'clock',
    what,
    'synchronize both clocks (systemd-timesyncd, chrony)',
  )
}
