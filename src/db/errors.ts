import { DrizzleQueryError } from 'drizzle-orm'
import { Failure, invalid } from '../errors'

/** The database can't answer now; the same request may succeed later. */
export const databaseUnavailable = (cause: unknown) => new Failure('databaseUnavailable', { cause })
export const tooLate = () => databaseUnavailable(new Error('the database took too long'))

// https://www.postgresql.org/docs/current/errcodes-appendix.html and the codes of postgres.js and the sockets below it
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
  '08P01', // what PgBouncer says of a server that is away, or that has no connection free
  '25006', // read-only
  '25P03', // idle in transaction too long
  '28000', // this user may not connect
  '28P01', // wrong password
  '3D000', // no such database
  '40001', // serialization failure
  '40P01', // deadlock
  '53100', // disk full
  '53200', // out of memory
  '53300', // too many connections
  '53400',
  '55P03', // lock not available in time
  '57014', // cancelled: statement timeout
  '57P01', // administrator's shutdown
  '57P02',
  '57P03', // cannot connect now: it starts, stops or recovers
  '57P04', // the database was dropped
  '57P05',
  '58030', // input or output error
])

/** The server's certificate was not accepted. */
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

/** What a query failed of, with everything that only a working database could fix turned into one failure. */
export function translated(error: unknown): unknown {
  const cause = driverError(error)
  if (cause instanceof Failure) return cause
  const isTemporary =
    cause !== undefined && 'code' in cause && typeof cause.code === 'string' && UNAVAILABLE.has(cause.code)
  return isTemporary ? databaseUnavailable(cause) : error
}

/** Whether something failed of a database that can't answer now. */
export function isUnavailable(error: unknown): boolean {
  const known = translated(error)
  return known instanceof Failure && known.code === 'databaseUnavailable'
}

const CANCELLED = '57014'

/** Whether no answer came, or only that others hold something: the time that took is not the client's doing. */
export const isUnanswered = (error: unknown) =>
  translated(error) instanceof Failure && codeOf(rootCause(error)) !== CANCELLED

/** What no waiting fixes, and what does. */
const HOPELESS = new Map([
  ['28000', 'correct the user in DATABASE_URL, or let them connect (pg_hba.conf)'],
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
/** What may pass by itself, and what helps if it doesn't. */
const HELP = new Map([
  ['25006', 'name the primary in DATABASE_URL, or end what keeps it read-only'],
  ['53100', 'free space on its disk'],
  ['53200', 'give it more memory'],
  ['53300', 'raise max_connections there, or lower DATABASE_POOL_MAX'],
])
const AWAY = 'see that it runs, and that DATABASE_URL leads to it'

/** Whether a database that failed like this may do better without anyone's help. */
export function isWorthWaiting(error: unknown): boolean {
  return translated(error) instanceof Failure && !HOPELESS.has(codeOf(rootCause(error)))
}

/**
 * Whether the database refused a statement for something in its rows, or for others who hold them, and so kept nothing
 * of it: data it can't take, a constraint, a deadlock, a lock that was not free in time, its time limit. Whatever leaves open what became
 * of the statement (40003 too) is not among them.
 */
export const isRefused = (error: unknown) =>
  /^(?:22...|23...|40001|40P01|55P03|57014)$/.test(codeOf(rootCause(error)))

/** What the database would not drop a thing for, in its words: `view recent depends on table movies`. */
export function dependentOf(error: unknown): string | undefined {
  const cause = rootCause(error)
  if (codeOf(cause) !== '2BP01' || !('detail' in cause)) return undefined
  return String(cause.detail).split('\n')[0]
}

/** A lock was not free within `lock_timeout`. */
export const isLockTimeout = (error: unknown) => codeOf(rootCause(error)) === '55P03'

const RAISED = 'P0001'

/** One line for the operator, who may know what the client of a request may not; undefined if it isn't about the database. */
export function databaseProblem(error: unknown): string | undefined {
  const cause = rootCause(error)
  const isAway = translated(error) instanceof Failure
  if (!isAway && !(error instanceof DrizzleQueryError) && cause.name !== 'PostgresError') return undefined
  const code = codeOf(cause)
  const [reason = ''] = cause.message.split('\n')
  // A migration of ours says all there is to say.
  if (code === RAISED) return reason
  const fix = HOPELESS.get(code) ?? HELP.get(code) ?? (isAway ? AWAY : undefined)
  return `the database failed: ${reason}${code === '' ? '' : ` (${code})`}${fix === undefined ? '' : `: ${fix}`}`
}

function rootCause(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return error.cause instanceof Error ? rootCause(error.cause) : error
}

const codeOf = (error: Error) => ('code' in error ? String(error.code) : '')

/** The name of the constraint that a write broke, if it broke one. */
export function brokenConstraint(error: unknown): string | undefined {
  const cause = driverError(error)
  if (cause === undefined || !('constraint_name' in cause)) return undefined
  return typeof cause.constraint_name === 'string' ? cause.constraint_name : undefined
}

/**
 * What a broken constraint means to the client: the refusal that stands for it, or a 422 on the field that a
 * `<table>_<field>_check` guards. Any other error comes back as it is.
 */
export function refusal(
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
