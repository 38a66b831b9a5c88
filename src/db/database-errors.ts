import { Failure, invalid } from '../errors'

/** The database can't answer now; the same request may succeed later. */
export const databaseUnavailable = (cause: unknown) => new Failure('databaseUnavailable', { cause })

// https://www.postgresql.org/docs/current/errcodes-appendix.html and the codes of postgres.js and the sockets below it
const UNAVAILABLE = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  '25006', // read-only
  '25P03', // idle in transaction too long
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
  '57P03', // cannot connect now
  '57P05',
  '58030', // input or output error
])

/** Drizzle wraps what the driver threw. */
function driverError(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined
  return error.cause instanceof Error ? error.cause : error
}

/** What a query failed of, with everything that only a working database could mend turned into one failure. */
export function translated(error: unknown): unknown {
  const cause = driverError(error)
  if (cause instanceof Failure) return cause
  const isTemporary =
    cause !== undefined && 'code' in cause && typeof cause.code === 'string' && UNAVAILABLE.has(cause.code)
  return isTemporary ? databaseUnavailable(cause) : error
}

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
