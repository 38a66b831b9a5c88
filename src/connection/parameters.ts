import { didYouMean, quoted } from '../rules/suggest'

export type Parameters = ReadonlyMap<string, string>

/** Describes a valid value, if the given one isn't. */
type Rule = (value: string) => string | undefined

const any: Rule = () => undefined
const oneOf =
  (...values: string[]): Rule =>
  (value) =>
    values.includes(value) ? undefined : values.join(' or ')
const wholeNumber =
  (max: number): Rule =>
  (value) =>
    /^(0|[1-9]\d{0,9})$/.test(value) && Number(value) <= max ? undefined : `a whole number from 0 to ${max}`

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']
const TARGETS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby']
const HOUR_SECONDS = 3600
const MAX_COUNT = 2_147_483_647
const count = wholeNumber(MAX_COUNT)

/** Client parameters that both libpq and Redlight understand. */
const known: Readonly<Record<string, Rule>> = {
  host: any,
  port: any,
  user: any,
  password: any,
  dbname: any,
  sslmode: oneOf(...SSL_MODES),
  // The driver's own name for sslmode.
  ssl: oneOf('true', 'false', ...SSL_MODES),
  sslrootcert: any,
  sslcert: any,
  sslkey: any,
  sslpassword: any,
  ssl_min_protocol_version: oneOf('TLSv1.2', 'TLSv1.3'),
  ssl_max_protocol_version: oneOf('TLSv1.2', 'TLSv1.3'),
  sslnegotiation: oneOf('postgres'),
  sslcompression: oneOf('0', '1'),
  sslsni: oneOf('1'),
  sslcertmode: oneOf('allow'),
  channel_binding: oneOf('disable', 'prefer', 'require'),
  gssencmode: oneOf('disable', 'prefer'),
  client_encoding: (value) => (/^(auto|utf-?8)$/i.test(value) ? undefined : 'UTF8'),
  connect_timeout: wholeNumber(HOUR_SECONDS),
  keepalives: oneOf('0', '1'),
  keepalives_idle: wholeNumber(HOUR_SECONDS),
  // Accepted but ineffective: a silent server is given up long before these count.
  keepalives_interval: count,
  keepalives_count: count,
  tcp_user_timeout: count,
  application_name: any,
  fallback_application_name: any,
  options: any,
  target_session_attrs: oneOf(...TARGETS),
  load_balance_hosts: oneOf('disable'),
  // From Prisma.
  schema: (value) => (value === 'public' ? undefined : 'public, where Redlight keeps its tables'),
  pgbouncer: oneOf('true', 'false'),
}

const NO_GSS = 'leave it out: GSSAPI is not supported'
const WRITE_OUT = 'write its content into the URL instead'
/** Parameters of other clients, with advice. */
const foreign: Readonly<Record<string, string>> = {
  connection_limit: 'set DATABASE_POOL_MAX instead',
  pool_timeout: 'leave it out: a request waits 4.5 s at most',
  socket_timeout: 'leave it out: a query takes 3.5 s at most',
  statement_cache_size: 'leave it out',
  sslaccept: 'write sslmode=require, or sslmode=verify-full, instead',
  sslidentity: 'write sslcert and sslkey instead',
  sslcrl: 'leave it out: lists of revoked certificates are not supported',
  sslcrldir: 'leave it out: lists of revoked certificates are not supported',
  hostaddr: 'write the address as the host instead',
  passfile: WRITE_OUT,
  service: WRITE_OUT,
  servicefile: WRITE_OUT,
  requirepeer: 'leave it out: the owner of a socket is not checked',
  require_auth: 'leave it out: the server chooses how it asks for the password',
  krbsrvname: NO_GSS,
  gsslib: NO_GSS,
  gssdelegation: NO_GSS,
  replication: 'leave it out',
  currentSchema: 'leave it out: Redlight keeps its tables in public',
  uselibpqcompat: 'leave it out',
}
const UNKNOWN = 'leave it out; a setting of the server is written options=-c%20name%3Dvalue'

export function judgeParameters(parameters: Parameters): string[] {
  // After a password may come a part of it, if its & wasn't percent-encoded.
  const isPublic = !parameters.has('password') && !parameters.has('sslpassword')
  const problems = [...parameters].flatMap(([name, value]) => judge(name, value, isPublic) ?? [])
  return [...problems, ...judgeEncryption(parameters)]
}

function judge(name: string, value: string, isPublic: boolean): string | undefined {
  const rule = Object.hasOwn(known, name) ? known[name] : undefined
  if (rule !== undefined) {
    const right = value === '' ? undefined : rule(value)
    return right && `has ${name}=${isPublic ? quoted(value) : '…'}, which must be ${right}`
  }
  if (Object.hasOwn(foreign, name))
    return `has the parameter ${name}, which Redlight doesn't support: ${foreign[name]}`
  if (!isPublic) return 'has an unknown parameter (write an & in the password as %26)'
  const meant = didYouMean(name, Object.keys(known))
  return `has an unknown parameter ${quoted(name)}${meant || `: ${UNKNOWN}`}`
}

const VERIFYING = ['require', 'verify-ca', 'verify-full']

/** Encryption requirements that would not be met. */
function judgeEncryption(parameters: Parameters): string[] {
  const given = (name: string) => parameters.get(name) || undefined
  const problems: string[] = []
  const mode = given('sslmode')
  const rootCert = given('sslrootcert')
  if (mode !== undefined && given('ssl') !== undefined)
    problems.push('has both sslmode and ssl: leave ssl out')
  if (rootCert === 'system' && mode !== undefined && mode !== 'verify-full')
    problems.push('has sslrootcert=system, which goes with sslmode=verify-full only')
  else if (rootCert !== undefined && rootCert !== 'system' && !VERIFYING.includes(mode ?? given('ssl') ?? ''))
    problems.push('has sslrootcert without checking the certificate: add sslmode=verify-full')
  if ((given('sslcert') === undefined) !== (given('sslkey') === undefined))
    problems.push('must have both sslcert and sslkey, or neither')
  if (given('ssl_min_protocol_version') === 'TLSv1.3' && given('ssl_max_protocol_version') === 'TLSv1.2')
    problems.push('has an ssl_min_protocol_version over its ssl_max_protocol_version')
  const isOff = mode === 'disable' || given('ssl') === 'false' || given('ssl') === 'disable'
  const wantsTls = given('sslcert') !== undefined || given('channel_binding') === 'require'
  if (isOff && wantsTls) problems.push('has TLS turned off, which sslcert and channel_binding=require need')
  return problems
}
