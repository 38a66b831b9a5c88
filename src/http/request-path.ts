import { isIPv6 } from 'node:net'

const ORIGIN = 'http://'
const MAX_KNOWN = 100

/**
 * The one reading of a request's path, by which limits, routes and headers go; undefined when its Host is not
 * `host[:digits]`. Bun refuses HTTP/1.1 without Host by itself, so a request without one is HTTP/1.0.
 *
 * The router finds the path in `request.url` by the same two searches. Where Bun can't read the Host it leaves that as
 * it was sent, or without an origin; such a request gets the URL that it has on any other host.
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

// Judging a Host anew takes longer than all of the rest.
const readable = new Set<string>()

/** Whether it is a Host that Bun can read, which has made the URL plain then: dots resolved, backslashes turned. */
function isReadable(host: string): boolean {
  if (readable.has(host)) return true
  if (!isHost(host) || !URL.canParse(ORIGIN + host)) return false
  if (readable.size >= MAX_KNOWN) readable.clear()
  readable.add(host)
  return true
}

// RFC 3986 section 3.2.2, save the empty name, which RFC 9110 section 4.2.1 forbids in http.
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

/** The last part of a path, decoded; undefined when it is not percent-encoded UTF-8, which the router passes on as it is. */
export function lastPartOf(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1))
  } catch {
    return undefined
  }
}

/** Path and query; of CONNECT, whose target is no path, the root. */
function targetIn(url: string): string {
  if (url.startsWith('/')) return url
  return url.startsWith(ORIGIN) ? url.slice(url.indexOf('/', ORIGIN.length)) : '/'
}

/** The parameters of a request, whose Host need not be one that URL takes. */
export const parametersOf = (request: Request) => new URLSearchParams(/\?([^#]*)/.exec(request.url)?.[1])
