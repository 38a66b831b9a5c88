import { DrizzleQueryError } from 'drizzle-orm'
import { Failure, invalid } from '../errors'

/** The same request may succeed later. */
export const databaseUnavailable = (cause: unknown) => new Failure('databaseUnavailable', { cause })
export const tooLate = () => databaseUnavailable(new Error('the database took too long'))

// https://www.postgresql.org/docs/current/errcodes-appendix.html, and codes of postgres.js and the sockets
// below it
const UNAVAILABLE = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'ENETDOWN',
  'ENOENT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'TRANSACTION_ROLLED_BACK',
  '08P01', // PgBouncer's, when its server is down or has no connection free
  '25006', // read-only
  '25P03', // idle in transaction too long
  '28000', // this user may not connect
  '28P01', // wrong password
  '3D000', // no such database
  '40001', // serialization failure
  '40P01', // deadlock
  '55000', // this database takes no connections
  '55P03', // lock not available in time
  '57014', // cancelled: statement timeout
  '58030', // input or output error
])

/** Classes of codes: too few resources; stopping, starting, or the connection ended by the administrator. */
const UNAVAILABLE_CLASSES = /^(?:53...|57P..)$/

/** The server's certificate is not trusted. */
const UNTRUSTED = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]
for (const code of ['TLS_REFUSED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED', ...UNTRUSTED])
  UNAVAILABLE.add(code)

/** Drizzle wraps what the driver threw. */
function driverError(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  return error.cause instanceof Error ? error.cause : error
}

/** The cause of a failed query; errors that only a working database can fix become databaseUnavailable. */
export function translated(error: unknown): unknown {
  const cause = driverError(error)
  if (cause instanceof Failure) return cause
  const code = cause === undefined ? '' : codeOf(cause)
  const isTemporary = UNAVAILABLE.has(code) || UNAVAILABLE_CLASSES.test(code)
  return isTemporary ? databaseUnavailable(cause) : error
}

export function isUnavailable(error: unknown): boolean {
  const known = translated(error)
  return known instanceof Failure && known.code === 'databaseUnavailable'
}

const CANCELLED = '57014'

/** False for a cancelled statement: its time was the client's doing. */
export const isUnanswered = (error: unknown) =>
  translated(error) instanceof Failure && codeOf(rootCause(error)) !== CANCELLED

/** Errors that a retry can't fix, with the fix to suggest. */
const HOPELESS = new Map([
  ['28000', 'correct the user in DATABASE_URL, or allow it to connect (pg_hba.conf)'],
  ['28P01', 'correct the user and the password in DATABASE_URL'],
  ['3D000', 'create the database, or correct its name in DATABASE_URL'],
  ['42501', 'grant that right to the user in DATABASE_URL'],
  ['3F000', 'create it with CREATE SCHEMA public, and let the user in DATABASE_URL create tables in it'],
  ['42P01', 'run "redlight migrate" first'],
  ['TLS_REFUSED', 'turn TLS on there, or take what asks for it out of DATABASE_URL'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'name the host in DATABASE_URL as its certificate does, or set sslmode=verify-ca',
  ],
  ['CERT_HAS_EXPIRED', "renew the server's certificate"],
  ...UNTRUSTED.map((code): [string, string] => [
    code,
    "name the file of the server's certificate authority in DATABASE_URL (sslmode=verify-full&sslrootcert=…)",
  ]),
])
/** Errors that may pass on their own, with a fix in case they don't. */
const HELP = new Map([
  ['25006', 'name the primary in DATABASE_URL, or end what keeps it read-only'],
  ['53100', 'free space on its disk'],
  ['53200', 'give it more memory'],
  ['53300', 'raise max_connections there, or lower DATABASE_POOL_MAX'],
  ['55000', 'let it take connections again (ALTER DATABASE … ALLOW_CONNECTIONS true)'],
])
const AWAY = 'check that it is running, and that DATABASE_URL is right'

/** Whether a retry may succeed without anyone's help. */
export function isWorthWaiting(error: unknown): boolean {
  return translated(error) instanceof Failure && !HOPELESS.has(codeOf(rootCause(error)))
}

/**
 * Whether the database refused a statement because of its rows or of others' locks, and so kept none of it:
 * bad data, a constraint, a deadlock, a lock timeout, the time limit. Errors that leave the outcome open,
 * such as 40003, are excluded.
 */
export const isRefused = (error: unknown) =>
  /^(?:22...|23...|40001|40P01|55P03|57014)$/.test(codeOf(rootCause(error)))

/** The object that blocks a DROP, in the database's words: `view recent depends on table movies`. */
export function dependentOf(error: unknown): string | undefined {
  const cause = rootCause(error)
  if (codeOf(cause) !== '2BP01' || !('detail' in cause)) return undefined
  return String(cause.detail).split('\n')[0]
}

/** The database ended a circle of waits, and kept nothing of this statement. */
export const isDeadlock = (error: unknown) => codeOf(rootCause(error)) === '40P01'

/** A lock was not free within `lock_timeout`. */
export const isLockTimeout = (error: unknown) => codeOf(rootCause(error)) === '55P03'

/** One line for the operator, who may see more than a client; undefined if the error isn't the database's. */
export function databaseProblem(error: unknown): string | undefined {
  const cause = rootCause(error)
  const isAway = translated(error) instanceof Failure
  if (!isAway && !(error instanceof DrizzleQueryError) && cause.name !== 'PostgresError') return undefined
  const code = codeOf(cause)
  const [reason = ''] = cause.message.split('\n')
  // What our own migration raises needs no addition.
  if (code === 'P0001') return reason
  const fix = HOPELESS.get(code) ?? HELP.get(code) ?? (isAway ? AWAY : undefined)
  return `the database failed: ${reason}${code === '' ? '' : ` (${code})`}${fix === undefined ? '' : `: ${fix}`}`
}

function rootCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return error.cause instanceof Error ? rootCause(error.cause) : error
}

const codeOf = (error: Error) => ('code' in error ? String(error.code) : '')

/** Name of the constraint that a write broke. */
export function brokenConstraint(error: unknown): string | undefined {
  const cause = driverError(error)
  if (cause === undefined || !('constraint_name' in cause)) return undefined
  return typeof cause.constraint_name === 'string' ? cause.constraint_name : undefined
}

/**
 * A broken constraint as the client sees it: its own failure, or a 422 on the field of a
 * `<table>_<field>_check`. Other errors are returned unchanged.
 */
export function constraintFailure(
  error: unknown,
  table: string,
  refusals: Readonly<Record<string, () => Failure>>,
): unknown {
  const constraint = brokenConstraint(error)
  if (constraint === undefined) return error
  const known = refusals[constraint]
  if (known !== undefined) return known()
  const field = new RegExp(`^${table}_(.+)_check$`).exec(constraint)?.[1]
  return field === undefined ? error : invalid({ [field]: 'is not acceptable' })
}
