import type { DatabaseConfig } from '../config/database'
import { connectionOf, isThisMachine, serverName } from '../connection/address'
import { type Finding, ok, warn } from './finding'

const AREA = 'tls'
const VERIFY = "add sslmode=verify-full, and sslrootcert= with the file of the server's certificate authority"

/** Whether what is said to the databases can be read on the way there. */
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
    return warn(AREA, `${variable} leads to ${server} unencrypted: passwords and data can be read`, VERIFY)
  if (tls.mode === 'prefer')
    return warn(AREA, `${variable} leads to ${server} unencrypted if that offers no TLS`, VERIFY)
  return ok(
    AREA,
    tls.mode === 'require'
      ? `${variable} leads to ${server} encrypted, whoever that is: sslmode=verify-full would check`
      : `${variable} leads to ${server} encrypted, and its certificate is checked`,
  )
}
