import { isIP, isIPv6 } from 'node:net'
import { isMailAddress } from '../rules/fields'

/** Records a problem: the broken rule and, if it may be printed, the text. */
export type Wrong = (rule: string, text?: string) => undefined
export type Parse<T> = (text: string, wrong: Wrong) => T | undefined

export const boolean: Parse<boolean> = (text, wrong) =>
  text === 'true' || text === 'false' ? text === 'true' : wrong('must be true or false', text)

export const integer =
  (min: number, max: number, what = `a whole number from ${min} to ${max}`): Parse<number> =>
  (text, wrong) => {
    const value = /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? value : wrong(`must be ${what}`, text)
  }

const SECOND_MS = 1000
const UNITS_MS = new Map([
  ['ms', 1],
  ['s', SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['h', 3600 * SECOND_MS],
  ['d', 24 * 3600 * SECOND_MS],
])

function parseMilliseconds(text: string): number {
  const [, count, unit = ''] = /^(0|[1-9]\d{0,8})(ms|s|m|h|d)$/.exec(text) ?? []
  return Number(count) * (UNITS_MS.get(unit) ?? Number.NaN)
}

export const milliseconds =
  (min: string, max: string): Parse<number> =>
  (text, wrong) => {
    const value = parseMilliseconds(text)
    return value >= parseMilliseconds(min) && value <= parseMilliseconds(max)
      ? value
      : wrong(`must be a duration from ${min} to ${max}, written like 500ms, 20s, 45m, 24h or 30d`, text)
  }

export const seconds =
  (min: string, max: string): Parse<number> =>
  (text, wrong) => {
    const value = milliseconds(min, max)(text, wrong)
    if (value === undefined || value % SECOND_MS === 0) return value && value / SECOND_MS
    return wrong('must be a whole number of seconds', text)
  }

export const oneOf =
  <T extends string>(values: readonly T[]): Parse<T> =>
  (text, wrong) =>
    values.find((value) => value === text) ?? wrong(`must be ${values.join(' or ')}`, text)

/** Comma-separated texts, trimmed, without duplicates. */
export const list =
  <T extends string>(entry: Parse<T>): Parse<readonly T[]> =>
  (text, wrong) => {
    const entries = text.split(',').map((part) => entry(part.trim(), wrong))
    return [...new Set(entries.filter((value) => value !== undefined))]
  }

export const TILDE = 'begins with ~, which only a shell expands: write the full path'

export const path: Parse<string> = (text, wrong) => (text.startsWith('~') ? wrong(TILDE, text) : text)

/** Any text; line breaks were refused before. */
export const line: Parse<string> = (text) => text

export const label: Parse<string> = (text, wrong) =>
  /^[^\p{C}\p{Zl}\p{Zp}]{1,50}$/u.test(text) ? text : wrong('must be 1 to 50 printable characters', text)

const LABEL = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?'
const HOST_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`, 'i')

const isAddress = (text: string) => isIP(text) !== 0 && !text.includes('%')
const isHost = (text: string) => isAddress(text) || (HOST_NAME.test(text) && URL.canParse(`http://${text}`))

export const host: Parse<string> = (text, wrong) =>
  isHost(text) ? text : wrong('must be a host name or an IP address, without scheme, port or brackets', text)

/** Local URL of a listener; a wildcard host becomes localhost. */
export function localUrl(host: string, port: number): string {
  const url = new URL(`http://${isIPv6(host) ? `[${host}]` : host}:${port}`)
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = 'localhost'
  return url.origin
}

export const webUrl: Parse<string> = (text, wrong) => {
  if (!/^https?:\/\/[^\s?#@\\]+$/i.test(text) || !URL.canParse(text))
    return wrong('must be an address like https://movies.example.com, without user, query or fragment', text)
  const { origin, pathname } = new URL(text)
  return origin + pathname.replace(/\/+$/, '')
}

/** As browsers send it: lower case, international names in ASCII, no default port. */
export const origin: Parse<string> = (text, wrong) => {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\*]+$/i.test(text) || !URL.canParse(text))
    return wrong('must list origins like https://app.example.com:8443, without path, user or wildcard', text)
  const { origin } = new URL(text)
  // URL gives 'null' as the origin of app://; keep the text.
  return origin === 'null' ? text.toLowerCase() : origin
}

export const network: Parse<string> = (text, wrong) => {
  const [address = '', prefix, ...more] = text.split('/')
  const maxPrefix = isIPv6(address) ? 128 : 32
  const isPrefix = (digits: string) => /^(0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= maxPrefix
  // IPv4 clients are compared as IPv4, so a network of mapped addresses would never match.
  const isMapped = /^::ffff:/i.test(address)
  const holds = isAddress(address) && (prefix === undefined || (isPrefix(prefix) && !isMapped))
  return holds && more.length === 0
    ? text
    : wrong('must list IP addresses or networks like 10.0.0.0/8 or 2001:db8::/32', text)
}

/** An address, or `Name <address>`; a name with special characters must be quoted. */
export const sender: Parse<string> = (text, wrong) => {
  const address = /^(?:"[^"\\]*"|[^"(),:;<>@[\\\]]*) ?<([^<>]*)>$/.exec(text)?.[1] ?? text
  return isMailAddress(address)
    ? text
    : wrong('must be a mail address, alone or like: Redlight <no-reply@example.com>', text)
}

const MIN_SECRET_BYTES = 32
const ordinal = (n: number) =>
  `${n}${['th', 'st', 'nd', 'rd'][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? 'th'}`

export const secrets: Parse<readonly string[]> = (text, wrong) => {
  const values = text.split(',').map((part) => part.trim())
  for (const [index, value] of values.entries()) {
    const bytes = Buffer.byteLength(value)
    if (bytes < MIN_SECRET_BYTES)
      wrong(
        `needs at least ${MIN_SECRET_BYTES} bytes in each secret, and the ${ordinal(index + 1)} secret has ${bytes}: ` +
          'make one with `openssl rand -base64 48`',
      )
  }
  return values
}

export const redisUrl: Parse<string> = (text, wrong) =>
  /^(redis|rediss|valkey|valkeys):\/\/([^/?#@\s]*@)?[^/?#@\s]+(\/\d{0,4})?$/.test(text) && URL.canParse(text)
    ? text
    : wrong(
        'must be an address like redis://user:password@host:6379/0 (rediss for TLS), with special characters of the ' +
          'password percent-encoded',
      )

export const REDACTED = '[redacted]'

export function redactUrl(text: string): string {
  const [, scheme = '', authority = '', rest = ''] = /^([^/]*\/\/)([^/?#]*)(.*)$/.exec(text) ?? []
  const at = authority.lastIndexOf('@')
  const user = authority.slice(0, at + 1).replace(/:.*@/, `:${REDACTED}@`)
  const query = rest.replace(/([?&])([^=&]*)=[^&]*/g, (parameter, mark: string, name: string) =>
    isSecretParameter(name) ? `${mark}${name}=${REDACTED}` : parameter,
  )
  return scheme + user + authority.slice(at + 1) + query
}

const isSecretParameter = (name: string) =>
  [...new URLSearchParams(name).keys()].some((key) => /pass|pwd|secret|key|token/i.test(key))
