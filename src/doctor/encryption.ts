import type { DatabaseConfig } from '../config/database'
import { connectionOf, isThisMachine, serverName } from '../connection/address'
import { type Finding, ok, warn } from './finding'

const AREA = 'tls'
const VERIFY = "add sslmode=verify-full, and sslrootcert= with the file of the server's certificate authority"

/** Whether connections to the databases are encrypted. */
export function checkEncryption(config: DatabaseConfig): Finding[] {
  if (config.kind === 'embedded') return []
  const { url, directUrl, replicas } = config
  return [
    judge('DATABASE_URL', url),
    ...(directUrl === undefined ? [] : [judge('DATABASE_DIRECT_URL', directUrl)]),
    ...(replicas?.urls ?? []).map((replica) => judge('DATABASE_REPLICA_URLS', replica)),
  ]
}

function judge(variable: string, url: string): Finding {
  const { hosts, socketPath, tls } = connectionOf(url)
  const server = serverName(url)
  if (socketPath !== undefined || hosts.every(isThisMachine))
    return ok(AREA, `${variable} stays on this machine`)
  if (tls === undefined)
    return warn(AREA, `${variable} connects to ${server} unencrypted: passwords and data can be read`, VERIFY)
  if (tls.mode === 'prefer')
    return warn(AREA, `${variable} connects to ${server} unencrypted if it offers no TLS`, VERIFY)
  return ok(
    AREA,
    tls.mode === 'require'
      ? `${variable} connects to ${server} encrypted, without checking its certificate: sslmode=verify-full would`
      : `${variable} connects to ${server} encrypted, and its certificate is checked`,
  )
}
