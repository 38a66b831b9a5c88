import type { Config } from '../config/config'
import { type Finding, fail, ok, warn } from './finding'

const MIN_DISTINCT = 12
const LOOPBACK = /^(localhost|127\.[\d.]+|\[?::1\]?)$/
const EVERYONE = /^(0\.0\.0\.0|::)\/0$/

export function checkSecrets({ jwt, database }: Config): Finding[] {
  if (jwt.secrets === undefined) {
    const where = database.kind === 'embedded' ? database.dataDir : 'DATA_DIR'
    return [ok('secret', `JWT_SECRET is made once, and kept in ${where}`)]
  }
  const weak = jwt.secrets.findIndex(isGuessable)
  if (weak < 0) return [ok('secret', `JWT_SECRET holds ${jwt.secrets.length} of good length and variety`)]
  return [
    warn(
      'secret',
      `number ${weak + 1} of JWT_SECRET looks made by hand`,
      'make one with `openssl rand -base64 48`, put it first, and drop the old one after JWT_TTL',
    ),
  ]
}

const isGuessable = (secret: string) =>
  new Set(secret).size < MIN_DISTINCT ||
  /secret|password|change.?me|example|redlight|12345|qwerty/i.test(secret)

/** Who may ask for the metrics: from behind a proxy on this machine, everybody comes from it. */
export function checkMetrics({ metricsNetworks = [], trustedProxies }: Config): Finding[] {
  const loopback = metricsNetworks.find((network) => LOOPBACK.test(network.replace(/\/.*/, '')))
  if (loopback === undefined || trustedProxies.length > 0) return []
  return [
    warn(
      'metrics',
      `METRICS_NETWORKS has ${loopback}, and TRUSTED_PROXIES is empty: behind a proxy on this machine anyone may ask`,
      'set TRUSTED_PROXIES=127.0.0.1,::1 if there is one',
    ),
  ]
}

/** What a proxy in front needs, and what is wrong without one. */
export function checkProxies({ host, publicUrl, trustedProxies, database }: Config): Finding[] {
  const url = new URL(publicUrl)
  const isPublic = !LOOPBACK.test(url.hostname)
  const findings: Finding[] = []
  const note = (...parts: Parameters<typeof warn>) => findings.push(warn(...parts))
  if (trustedProxies.some((network) => EVERYONE.test(network)))
    findings.push(
      fail(
        'proxies',
        'TRUSTED_PROXIES trusts everyone: any client may forge its address',
        'name your proxies alone',
      ),
    )
  if (url.protocol === 'https:' && trustedProxies.length === 0)
    note(
      'proxies',
      'PUBLIC_URL is https, so a proxy stands in front, but TRUSTED_PROXIES is empty: all clients share its limits',
      LOOPBACK.test(host)
        ? 'set TRUSTED_PROXIES=127.0.0.1,::1'
        : 'set TRUSTED_PROXIES to the address of the proxy',
    )
  if (url.protocol === 'http:' && isPublic)
    note(
      'proxies',
      'PUBLIC_URL is http: passwords travel unencrypted',
      'put a TLS proxy in front, and set PUBLIC_URL to its https address',
    )
  if (isPublic && LOOPBACK.test(host) && trustedProxies.length === 0 && url.protocol === 'http:')
    note(
      'proxies',
      `HOST ${host} is reached from this machine alone`,
      'set HOST=0.0.0.0, or put a proxy in front',
    )
  if (!isPublic && database.kind === 'postgres')
    note(
      'proxies',
      `mails point to ${publicUrl}, which leads their readers to their own machine`,
      'set PUBLIC_URL',
    )
  return findings.length > 0 ? findings : [ok('proxies', `HOST, PUBLIC_URL and TRUSTED_PROXIES fit together`)]
}
