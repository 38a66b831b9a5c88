import { isIP } from 'node:net'
import type { Parse } from '../config/values'
import { judgeParameters, type Parameters } from './parameters'
import { readTls, type Tls, tlsOf } from './tls'

export type Host = { readonly host: string; readonly port: number | undefined }

/** A connection string, in libpq's terms. */
export type Connection = {
  /** Empty if the string names none. */
  readonly hosts: readonly Host[]
  /** Path of the socket, used instead of hosts. */
  readonly socketPath: string | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string
  /** In libpq's spelling, including `any`; undefined if absent. */
  readonly targetSessionAttrs: string | undefined
  /** Undefined means unencrypted. */
  readonly tls: Tls | undefined
  readonly connectTimeoutSeconds: number | undefined
  readonly keepAliveSeconds: number | undefined
  readonly applicationName: string | undefined
  /** Server options, such as `-c geqo=off`. */
  readonly options: string | undefined
  /** Whether it has Prisma's pgbouncer=true. */
  readonly isPgBouncer: boolean
}

const FORM =
  'must be an address like postgres://user:password@host:5432/database, with special characters of the user ' +
  'name and the password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F)'
const DEFAULT_PORT = 5432
const MAX_PORT = 65535

type Parts = {
  readonly user: string
  readonly password: string
  readonly hosts: readonly Host[]
  readonly database: string
  readonly parameters: Parameters
  /** Whether each parameter has exactly one value. */
  readonly isClear: boolean
}

/** Records everything wrong with a connection string, without quoting anything that may be a password. */
export const databaseUrl: Parse<string> = (text, wrong) => {
  const parts = split(text)
  if (parts === undefined) return wrong(FORM)
  const problems = [...judgeParts(parts), ...judgeParameters(parts.parameters)]
  if (problems.length === 0) {
    const { tls } = connectionOf(text)
    const problem = tls && readTls(tls).problem
    if (problem !== undefined) problems.push(problem)
  }
  for (const problem of problems) wrong(problem)
  return problems.length === 0 ? text : undefined
}

/** For a connection string that `databaseUrl` accepts. */
export function connectionOf(text: string): Connection {
  const parts = split(text)
  if (parts === undefined) throw new Error(`the database ${FORM}`)
  const { user, password, hosts, database, parameters } = parts
  const given = (name: string) => parameters.get(name) || undefined
  const seconds = (name: string) => Number(given(name)) || undefined
  const [first] = hosts
  const isSocket = first?.host.startsWith('/') === true
  return {
    hosts: isSocket ? [] : hosts,
    socketPath: isSocket ? `${first.host}/.s.PGSQL.${first.port ?? DEFAULT_PORT}` : undefined,
    user: user || undefined,
    password: password || undefined,
    database,
    targetSessionAttrs: given('target_session_attrs'),
    tls: isSocket ? undefined : tlsOf(parameters, hosts.length > 0 && hosts.every(isThisMachine)),
    connectTimeoutSeconds: seconds('connect_timeout'),
    keepAliveSeconds: given('keepalives') === '0' ? 0 : seconds('keepalives_idle'),
    applicationName: given('application_name') ?? given('fallback_application_name'),
    options: given('options'),
    isPgBouncer: given('pgbouncer') === 'true',
  }
}

export const isThisMachine = ({ host }: Host) => /^(localhost|127\.[\d.]+|::1)$/i.test(host)

/** In URL form. */
export const hostName = ({ host, port }: Host) =>
  (isIP(host) === 6 ? `[${host}]` : host) + (port === undefined ? '' : `:${port}`)

/** The server's name, for messages. */
export function serverName(text: string): string {
  const { hosts, socketPath } = connectionOf(text)
  return socketPath ?? (hosts.map(hostName).join() || 'localhost')
}

function split(text: string): Parts | undefined {
  const [whole, authority = '', path = '', query = ''] =
    /^postgres(?:ql)?:\/\/([^/?#\s]*)(?:\/([^?#@\s]*))?(?:\?([^#@\s]*))?$/i.exec(text) ?? []
  if (whole === undefined) return undefined
  const at = authority.lastIndexOf('@')
  const [user = '', ...password] = authority.slice(0, Math.max(0, at)).split(':')
  try {
    const pairs = query.split('&').filter((pair) => pair !== '')
    const parameters: Parameters = new Map(pairs.filter((pair) => pair.includes('=')).map(splitPair))
    const given = (name: string) => parameters.get(name) || undefined
    return {
      user: given('user') ?? decode(user),
      password: given('password') ?? decode(password.join(':')),
      hosts: splitHosts(authority.slice(at + 1), given('host'), given('port')),
      database: given('dbname') ?? decode(path),
      parameters,
      isClear: parameters.size === pairs.length,
    }
  } catch {
    return undefined
  }
}

function splitPair(pair: string): [name: string, value: string] {
  const [name = '', ...value] = pair.split('=')
  return [decode(name), decode(value.join('='))]
}

/**
 * Hosts before the path, or those of the parameter `host`; the parameter `port` has one value for all, or one
 * each.
 */
function splitHosts(authority: string, names?: string, ports?: string): Host[] {
  const written = authority.split(',').map(splitHost)
  const hosts = names?.split(',').map((host, index) => ({ host, port: written[index]?.port })) ?? written
  const given = ports?.split(',').map(Number) ?? []
  const portOf = (index: number) => (given.length === 1 ? given[0] : given[index])
  const all = hosts.map(({ host, port }, index) => ({ host, port: portOf(index) ?? port }))
  const [{ host, port } = { host: '', port: undefined }] = all
  if (all.length > 1 || host !== '') return all
  return port === undefined ? [] : [{ host: 'localhost', port }]
}

function splitHost(text: string): Host {
  const [whole, address, name = '', port] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(text) ?? []
  if (whole === undefined || (address !== undefined && isIP(decode(address)) !== 6))
    throw new Error('no host')
  return { host: decode(address ?? name), port: port ? Number(port) : undefined }
}

/** A control character could end a text in the protocol. */
function decode(text: string): string {
  const decoded = decodeURIComponent(text)
  if (/\p{Cc}/u.test(decoded)) throw new Error('control characters')
  return decoded
}

function judgeParts({ hosts, database, parameters, isClear }: Parts): string[] {
  const problems = isClear ? [] : ['has a parameter twice, or one without a value']
  if (database === '')
    problems.push('must name its database, as in postgres://user:password@host:5432/redlight')
  const isSocket = hosts.some(({ host }) => host.startsWith('/'))
  if (isSocket && hosts.length > 1) problems.push('must have the folder of a socket as its only host')
  const isName = (host: string) => isIP(host) !== 0 || /^[^\s:@/\\[\]%]+$/.test(host)
  if (!isSocket && !hosts.every(({ host }) => isName(host)))
    problems.push('must name each host by a name, an address ([::1] for IPv6) or the folder of a socket')
  const isPort = (port: number) => Number.isInteger(port) && port > 0 && port <= MAX_PORT
  if (!hosts.every(({ port }) => port === undefined || isPort(port)))
    problems.push(`must have a port from 1 to ${MAX_PORT}`)
  const ports = parameters.get('port')?.split(',').length ?? 1
  if (ports > 1 && ports !== hosts.length) problems.push('must have one port, or as many as hosts')
  return problems
}
