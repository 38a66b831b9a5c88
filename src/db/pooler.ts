import { sql } from 'drizzle-orm'
import type { Log } from '../log'
import { type Db, requestPatience } from './client'

// In milliseconds, as the server keeps them.
const limits = {
  statement_timeout: requestPatience.statementMs,
  lock_timeout: requestPatience.lockMs,
  idle_in_transaction_session_timeout: 2 * requestPatience.statementMs,
}

/**
 * A pooler takes no limits at the start of a connection, so the server's side has to set them: without, a write that
 * was answered 503 may still be under way.
 */
export async function checkPooledLimits(db: Db, log: Log): Promise<void> {
  const settings = await db.execute<{ name: string; value: string; role: string }>(
    sql`select name, setting as value, quote_ident(current_user) as role from pg_settings
      where name in (${sql.join(
        Object.keys(limits).map((name) => sql`${name}`),
        sql`, `,
      )})`,
  )
  const given = new Map(settings.map(({ name, value }) => [name, Number(value)]))
  const role = settings[0]?.role ?? 'redlight'
  const mend = Object.entries(limits)
    .filter(([name, limit]) => !(Number(given.get(name)) > 0 && Number(given.get(name)) <= limit))
    .map(([name, limit]) => `ALTER ROLE ${role} SET ${name} = ${limit};`)
  if (mend.length > 0)
    log.warn('behind the pooler nothing ends what takes too long; run this, then restart PgBouncer', {
      mend: mend.join(' '),
    })
}
