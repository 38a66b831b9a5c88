import { sql } from 'drizzle-orm'
import { type Db, requestTimeouts } from '../db/client'
import { pins } from '../db/pins'
import type { Log } from '../log'

// In milliseconds, PostgreSQL's unit.
const limits = {
  statement_timeout: requestTimeouts.statementMs,
  lock_timeout: requestTimeouts.lockMs,
  idle_in_transaction_session_timeout: 2 * requestTimeouts.statementMs,
}

/** Without these, answers would be wrong or refused; the other pins are for speed and good order. */
const vital = [
  'search_path',
  'client_encoding',
  'DateStyle',
  'bytea_output',
  'standard_conforming_strings',
  'default_transaction_isolation',
  'gin_fuzzy_search_limit',
]

type Setting = {
  name: string
  value: string
  role: string
  database: string
  isOfBoth: boolean
  /** Schema in which tables are found and created. */
  schema: string
}

/**
 * A pooler passes neither limits nor most settings on at startup, so the server has to have them: without the
 * limits, a write that was answered 503 may still be running; with other settings, answers may be wrong.
 */
export async function checkPooledSettings(db: Db, log: Log): Promise<void> {
  const settings = await readSettings(db)
  const wrong = settings.filter((setting) => vital.includes(setting.name) && !isAsPinned(setting))
  if (wrong.length > 0) {
    const found = wrong.map(({ name, value }) => `${name} is ${value}`).join(', ')
    const fix = wrong.map((setting) => alterRole(setting, pins[setting.name] ?? '')).join(' ')
    throw new Error(`behind the pooler ${found}; run this, then restart PgBouncer: ${fix}`)
  }
  const fix = settings
    .filter(({ name, value }) => name in limits && !isWithin(name, Number(value)))
    .map((setting) => alterRole(setting, String(limitOf(setting.name))))
  if (fix.length > 0)
    log.warn('statements behind the pooler have no time limit; run this, then restart PgBouncer', {
      fix: fix.join(' '),
    })
}

async function readSettings(db: Db): Promise<Setting[]> {
  const names = [...Object.keys(limits), ...vital].map((name) => sql`${name}`)
  return db.execute<Setting>(
    sql`select name, setting as value, quote_ident(current_user) as role,
        quote_ident(current_database()) as database, source = 'database user' as "isOfBoth",
        coalesce(current_schema(), '') as schema
      from pg_settings where name in (${sql.join(names, sql`, `)}) order by name`,
  )
}

const limitOf = (name: string) => Object.entries(limits).find(([key]) => key === name)?.[1] ?? 0
const isWithin = (name: string, value: number) => value > 0 && value <= limitOf(name)

function isAsPinned({ name, value, schema }: Setting): boolean {
  if (name === 'search_path') return schema === 'public'
  // The order of day and month matters only for parsing dates, and ours are ISO.
  if (name === 'DateStyle') return value.startsWith('ISO')
  return value === pins[name]
}

/** A setting for a role in a database overrides the role's own. */
const alterRole = ({ name, role, database, isOfBoth }: Setting, value: string) =>
  `ALTER ROLE ${role}${isOfBoth ? ` IN DATABASE ${database}` : ''} SET ${name} = ${sqlValue(name, value)};`

const sqlValue = (name: string, value: string) =>
  name === 'search_path' || /^\w+$/.test(value) ? value : `'${value}'`
