import { isIPv6 } from 'node:net'
import type { Config } from '../config/config'
import { type Finding, fail, ok, warn } from './finding'

const MIN_DISTINCT = 8
const LOOPBACK = /^(localhost|127\.[\d.]+|\[?::1\]?)$/
/** No network of one's own is wider: 10.0.0.0/8, fc00::/7. */
const WIDEST_OWN = { ipv4: 8, ipv6: 7 }

/** Settings that a service starts with, and that leave it open: said at its start too. */
export const dangers = (config: Config): Finding[] => [
  ...weakSecrets(config),
  ...trustInEveryone(config),
  ...checkLimits(config),
  ...checkMetrics(config),
]

export function checkSecrets(config: Config): Finding[] {
  const { jwt, database } = config
  if (jwt.secrets === undefined) {
    const where = database.kind === 'embedded' ? database.dataDir : 'DATA_DIR'
    return [ok('secret', `JWT_SECRET is made once, and kept in ${where}`)]
  }
  const weak = weakSecrets(config)
  if (weak.length > 0) return weak
  return [ok('secret', `JWT_SECRET holds ${jwt.secrets.length} of good length and variety`)]
}

const weakSecrets = ({ jwt }: Config): Finding[] =>
  (jwt.secrets ?? []).flatMap((secret, index) =>
    isGuessable(secret)
      ? warn(
          'secret',
          `number ${index + 1} of JWT_SECRET looks made by hand: whoever guesses it can sign in as anyone`,
          'make one with `openssl rand -base64 48`, put it first, and drop the old one after JWT_TTL',
        )
      : [],
  )

const isGuessable = (secret: string) =>
  new Set(secret).size < MIN_DISTINCT ||
  // It repeats itself.
  (secret + secret).indexOf(secret, 1) < secret.length ||
  /secret|password|change.?me|example|redlight|12345|abcdef|qwerty/i.test(secret)

export function checkLimits({ limiter }: Config): Finding[] {
  const wide = limiter.enabled ? limiter.exempt.filter(isEveryone) : []
  if (wide.length === 0) return []
  return [
    warn(
      'limits',
      `LIMITER_EXEMPT lets everyone off (${wide.join(', ')}): no limit holds`,
      'name the networks of your own programs alone, or set LIMITER_ENABLED=false if that is meant',
    ),
  ]
}

function trustInEveryone({ trustedProxies }: Config): Finding[] {
  const wide = trustedProxies.filter(isEveryone)
  if (wide.length === 0) return []
  return [
    fail(
      'proxies',
      `TRUSTED_PROXIES trusts everyone (${wide.join(', ')}): any client may forge its address`,
      'name your proxies alone',
    ),
  ]
}

/** However it is spelt, and in halves too. */
function isEveryone(network: string): boolean {
  const [address = '', prefix] = network.split('/')
  return prefix !== undefined && Number(prefix) < WIDEST_OWN[isIPv6(address) ? 'ipv6' : 'ipv4']
}

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
export function checkProxies(config: Config): Finding[] {
  const { host, publicUrl, trustedProxies, database } = config
  const url = new URL(publicUrl)
  const isPublic = !LOOPBACK.test(url.hostname)
  const findings = trustInEveryone(config)
  const note = (...parts: Parameters<typeof warn>) => findings.push(warn(...parts))
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
