import { isIPv6 } from 'node:net'
import type { Config } from '../config/config'
import { type Finding, fail, ok, warn } from './finding'

const MIN_DISTINCT = 8
const LOOPBACK = /^(localhost|127\.[\d.]+|\[?::1\]?)$/
/** No private network is wider than 10.0.0.0/8 or fc00::/7. */
const WIDEST_OWN = { ipv4: 8, ipv6: 7 }

/** Settings that start but leave the service open; also logged at startup. */
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
    return [ok('secret', `JWT_SECRET is generated and kept in ${where}`)]
  }
  const weak = weakSecrets(config)
  if (weak.length > 0) return weak
  return [
    ok('secret', `JWT_SECRET has ${jwt.secrets.length} strong secret${jwt.secrets.length === 1 ? '' : 's'}`),
  ]
}

const weakSecrets = ({ jwt }: Config): Finding[] =>
  (jwt.secrets ?? []).flatMap((secret, index) =>
    isGuessable(secret)
      ? warn(
          'secret',
          `secret ${index + 1} of JWT_SECRET looks handmade: anyone who guesses it can sign in as any user`,
          'make one with `openssl rand -base64 48`, put it first, and drop the old one after JWT_TTL',
        )
      : [],
  )

const isGuessable = (secret: string) =>
  new Set(secret).size < MIN_DISTINCT ||
  // The secret repeats itself.
  (secret + secret).indexOf(secret, 1) < secret.length ||
  /secret|password|change.?me|example|redlight|12345|abcdef|qwerty/i.test(secret)

export function checkLimits({ limiter }: Config): Finding[] {
  const wide = limiter.enabled ? limiter.exempt.filter(isEveryone) : []
  if (wide.length === 0) return []
  return [
    warn(
      'limits',
      `LIMITER_EXEMPT exempts everyone (${wide.join(', ')}): there are no limits`,
      'list only the networks of your own programs, or set LIMITER_ENABLED=false to turn the limits off',
    ),
  ]
}

function trustInEveryone({ trustedProxies }: Config): Finding[] {
  const wide = trustedProxies.filter(isEveryone)
  if (wide.length === 0) return []
  return [
    fail(
      'proxies',
      `TRUSTED_PROXIES trusts everyone (${wide.join(', ')}): any client can forge its address`,
      'list only your own proxies',
    ),
  ]
}

/** In any spelling, and also as two halves. */
function isEveryone(network: string): boolean {
  const [address = '', prefix] = network.split('/')
  return prefix !== undefined && Number(prefix) < WIDEST_OWN[isIPv6(address) ? 'ipv6' : 'ipv4']
}

/** Behind a proxy on this machine, all clients appear to come from loopback. */
export function checkMetrics({ metricsNetworks = [], trustedProxies }: Config): Finding[] {
  const loopback = metricsNetworks.find((network) => LOOPBACK.test(network.replace(/\/.*/, '')))
  if (loopback === undefined || trustedProxies.length > 0) return []
  return [
    warn(
      'metrics',
      `METRICS_NETWORKS has ${loopback}, and TRUSTED_PROXIES is empty: behind a proxy on this machine anyone can read the metrics`,
      'set TRUSTED_PROXIES=127.0.0.1,::1 if there is one',
    ),
  ]
}

/** Settings that a proxy needs, and problems without one. */
export function checkProxies(config: Config): Finding[] {
  const { host, publicUrl, trustedProxies, database } = config
  const url = new URL(publicUrl)
  const isPublic = !LOOPBACK.test(url.hostname)
  const findings = trustInEveryone(config)
  const note = (...parts: Parameters<typeof warn>) => findings.push(warn(...parts))
  if (url.protocol === 'https:' && trustedProxies.length === 0)
    note(
      'proxies',
      'PUBLIC_URL is https, so there is a proxy in front, but TRUSTED_PROXIES is empty: all clients share one limit',
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
      `HOST ${host} is reachable only from this machine`,
      'set HOST=0.0.0.0, or put a proxy in front',
    )
  if (!isPublic && database.kind === 'postgres')
    note('proxies', `mails link to ${publicUrl}, which only works on this machine`, 'set PUBLIC_URL')
  return findings.length > 0
    ? findings
    : [ok('proxies', `HOST, PUBLIC_URL and TRUSTED_PROXIES are consistent`)]
}
