import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getCACertificates, type SecureVersion } from 'node:tls'
import type { Parameters } from './parameters'

/** Encryption of a connection; files are named here, not read. */
export type Tls = {
  /** `prefer`: plain text if the server has no TLS. `require`: without checking the certificate. */
  readonly mode: 'prefer' | 'require' | 'verify-ca' | 'verify-full'
  /** `system` or undefined: public certificate authorities and those of this machine. */
  readonly rootCert: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
  readonly passphrase: string | undefined
  readonly minVersion: string | undefined
  readonly maxVersion: string | undefined
}

/** Options of node:tls. */
export type TlsOptions = {
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity?: () => undefined
  readonly ca?: string[]
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
  readonly minVersion?: SecureVersion | undefined
  readonly maxVersion?: SecureVersion | undefined
}

/** The encryption that these parameters ask for; by default, connections that leave this machine prefer TLS. */
export function tlsOf(parameters: Parameters, isThisMachine: boolean): Tls | undefined {
  const given = (name: string) => parameters.get(name) || undefined
  const mode = modeOf(parameters, isThisMachine)
  if (mode === undefined) return undefined
  return {
    mode,
    rootCert: given('sslrootcert'),
    cert: given('sslcert'),
    key: given('sslkey'),
    passphrase: given('sslpassword'),
    minVersion: given('ssl_min_protocol_version'),
    maxVersion: given('ssl_max_protocol_version'),
  }
}

function modeOf(parameters: Parameters, isThisMachine: boolean): Tls['mode'] | undefined {
  const given = (name: string) => parameters.get(name) || undefined
  // The driver doesn't support channel binding; a verified certificate prevents the same attack.
  if (given('sslrootcert') === 'system' || given('channel_binding') === 'require') return 'verify-full'
  const mode = given('sslmode') ?? given('ssl')
  switch (mode) {
    case 'verify-full':
    case 'verify-ca':
      return mode
    case 'require':
    case 'true':
      return given('sslrootcert') === undefined ? 'require' : 'verify-ca'
    case 'disable':
    case 'false':
      return undefined
  }
  // A client certificate can only be sent over TLS.
  if (given('sslcert') !== undefined) return 'require'
  return mode === undefined && isThisMachine ? undefined : 'prefer'
}

/** Reads the named files, or describes what is wrong with them. */
export function readTls(
  tls: Tls,
): { options: TlsOptions; problem?: undefined } | { problem: string; options?: undefined } {
  const { mode, rootCert, cert, key, passphrase, minVersion, maxVersion } = tls
  const isVerifying = mode === 'verify-ca' || mode === 'verify-full'
  try {
    requirePair(tls)
    return {
      options: {
        rejectUnauthorized: isVerifying,
        ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
        ...(isVerifying && { ca: authorities(rootCert) }),
        cert: cert && read('sslcert', cert, certificate),
        key: key && read('sslkey', key, privateKey(passphrase)),
        passphrase,
        minVersion: version(minVersion),
        maxVersion: version(maxVersion),
      },
    }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** Checked here, or the driver would fail in the middle of a connection. */
function requirePair({ cert, key, passphrase }: Tls) {
  if (cert === undefined || key === undefined) return
  const [certText, keyText] = [
    read('sslcert', cert, certificate),
    read('sslkey', key, privateKey(passphrase)),
  ]
  if (!certificate(certText).checkPrivateKey(privateKey(passphrase)(keyText)))
    throw new Error(`names a key in sslkey that doesn't belong to the certificate in sslcert: ${key}`)
}

const certificate = (text: string) => new X509Certificate(text)
const privateKey = (passphrase: string | undefined) => (text: string) =>
  createPrivateKey({ key: text, passphrase })

const authorities = (rootCert: string | undefined): string[] =>
  rootCert === undefined || rootCert === 'system'
    ? [...getCACertificates('bundled'), ...getCACertificates('system')]
    : [read('sslrootcert', rootCert, certificate)]

const version = (text: string | undefined): SecureVersion | undefined =>
  text === 'TLSv1.2' || text === 'TLSv1.3' ? text : undefined

function read(parameter: string, path: string, check: (text: string) => unknown): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new Error(`names a file in ${parameter} that can't be read${code}: ${path}`)
  }
  try {
    check(text)
    return text
  } catch {
    const what = parameter === 'sslkey' ? 'private key that sslpassword opens' : 'certificate'
    throw new Error(`names a file in ${parameter} without a ${what} in PEM: ${path}`)
  }
}
