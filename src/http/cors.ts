import type { Log } from '../log'

export const EXPOSED = 'ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id'
const ALLOWED = 'Authorization, Content-Type, If-Match, If-None-Match, X-Expected-Version, X-Request-Id'
export const PREFLIGHT_MAX_AGE_SECONDS = '600'

const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/
const REFUSALS_EVERY_MS = 60_000
/** Limits the log and the memory when somebody makes origins up. */
const MAX_REFUSALS = 20
const MAX_SHOWN_CHARACTERS = 200

type CorsOptions = {
  readonly trustedOrigins: readonly string[]
  /** Where our own pages are. */
  readonly ownOrigin: string
  /** Also trusts every page that this machine serves by HTTP. */
  readonly trustsLoopback: boolean
  readonly log: Pick<Log, 'warn'>
  readonly now: () => number
}
export type Cors = ReturnType<typeof createCors>

/** Cross-origin access for the configured origins only (Fetch standard, CORS protocol). */
export function createCors({ trustedOrigins, trustsLoopback, ...options }: CorsOptions) {
  const trusted = new Set(trustedOrigins)
  const isOpen = trusted.size > 0 || trustsLoopback
  const isTrusted = (origin: string) => trusted.has(origin) || (trustsLoopback && LOOPBACK.test(origin))
  const refused = createRefusals(options)
  return {
    /** Adds headers to an answer. An untrusted origin gets none, so its browser withholds the answer. */
    apply(request: Request, headers: Headers) {
      if (isOpen) headers.append('Vary', 'Origin')
      const origin = request.headers.get('origin')
      if (origin === null) return
      if (!isTrusted(origin)) return refused(request, origin)
      headers.set('Access-Control-Allow-Origin', origin)
      headers.set('Access-Control-Expose-Headers', EXPOSED)
      const method = request.headers.get('access-control-request-method')
      if (request.method !== 'OPTIONS' || method === null) return
      headers.set('Access-Control-Allow-Methods', headers.get('Allow') ?? method)
      headers.set('Access-Control-Allow-Headers', ALLOWED)
      headers.set('Access-Control-Max-Age', PREFLIGHT_MAX_AGE_SECONDS)
    },
  }
}

/** Logs each refused origin once a minute, with the setting that would allow it. */
function createRefusals({ ownOrigin, log, now }: Pick<CorsOptions, 'ownOrigin' | 'log' | 'now'>) {
  const loggedAt = new Map<string, number>()
  return (request: Request, origin: string) => {
    // Our own pages send their origin too, and no setting allows the origin "null" of a file.
    const isOwn = origin === ownOrigin || origin.replace(/^https?:\/\//, '') === request.headers.get('host')
    if (isOwn || origin === 'null') return
    const time = now()
    for (const [known, at] of loggedAt) if (time - at >= REFUSALS_EVERY_MS) loggedAt.delete(known)
    if (loggedAt.has(origin) || loggedAt.size >= MAX_REFUSALS) return
    loggedAt.set(origin, time)
    const shown = origin.slice(0, MAX_SHOWN_CHARACTERS)
    log.warn(`pages of another origin may not read answers; CORS_TRUSTED_ORIGINS=${shown} would allow it`, {
      origin: shown,
    })
  }
}
