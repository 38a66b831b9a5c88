import { isIPv6 } from 'node:net'

const ORIGIN = 'http://'
const MAX_KNOWN = 100

/**
 * The path that limits, routes and headers all use; undefined when Host is not `host[:digits]`. Bun refuses
 * HTTP/1.1 without Host, so a request without one is HTTP/1.0. Elysia finds the path in `request.url` by the
 * same two searches. When Bun can't parse the Host it leaves the URL as sent, or without an origin; such a
 * request gets the URL it would have on any other host.
 */
export function pathOf(request: Request): string | undefined {
  const { url } = request
  const host = request.headers.get('host')
  if (host !== null) {
    if (url.startsWith(ORIGIN) && isReadable(host)) return pathIn(url)
    if (!isHost(host)) return undefined
  }
  const plain = new URL(`${ORIGIN}localhost${targetIn(url)}`).href
  Object.defineProperty(request, 'url', { value: plain })
  return pathIn(plain)
}

// Cached, because checking a Host takes longer than everything else here.
const readable = new Set<string>()

/** Whether Bun can parse the Host; it has then normalized the URL's dots and backslashes. */
function isReadable(host: string): boolean {
  if (readable.has(host)) return true
  if (!isHost(host) || !URL.canParse(ORIGIN + host)) return false
  if (readable.size >= MAX_KNOWN) readable.clear()
  readable.add(host)
  return true
}

// RFC 3986 section 3.2.2, except the empty name, which RFC 9110 section 4.2.1 forbids in http.
const NAME = /^(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})+(?::\d*)?$/i
const LITERAL = /^\[(?:v[\da-f]+\.[\w.~!$&'()*+,;=:-]+|([\da-f:.]+))\](?::\d*)?$/i

function isHost(host: string): boolean {
  if (NAME.test(host)) return true
  const [literal, address] = LITERAL.exec(host) ?? []
  return literal !== undefined && (address === undefined || isIPv6(address))
}

function pathIn(url: string): string {
  const start = url.indexOf('/', ORIGIN.length)
  const end = url.indexOf('?', start + 1)
  return end === -1 ? url.slice(start) : url.slice(start, end)
}

/**
 * Last part of a path, decoded; undefined when it isn't percent-encoded UTF-8, which Elysia passes on
 * unchanged.
 */
export function lastPartOf(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
  } catch {
    return undefined
  }
}

/** Path and query. CONNECT has no path; its target becomes the root. */
function targetIn(url: string): string {
  if (url.startsWith('/')) return url
  return url.startsWith(ORIGIN) ? url.slice(url.indexOf('/', ORIGIN.length)) : '/'
}

/** URL might reject the request's Host, so the query is cut out by hand. */
export const parametersOf = (request: Request) => new URLSearchParams(/\?([^#]*)/.exec(request.url)?.[1])
