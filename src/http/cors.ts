export const EXPOSED = 'ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id'
const ALLOWED = 'Authorization, Content-Type, If-Match, If-None-Match, X-Expected-Version, X-Request-Id'
export const PREFLIGHT_MAX_AGE_SECONDS = '600'

const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/

type CorsOptions = {
  readonly trustedOrigins: readonly string[]
  /** Also trusts every page that this machine serves by HTTP. */
  readonly trustsLoopback: boolean
  /** Called with each request of an origin that is not trusted. */
  readonly refused: (request: Request, origin: string) => void
}
export type Cors = ReturnType<typeof createCors>

/** Cross-origin access for the configured origins only (Fetch standard, CORS protocol). */
export function createCors({ trustedOrigins, trustsLoopback, refused }: CorsOptions) {
  const trusted = new Set(trustedOrigins)
  const isOpen = trusted.size > 0 || trustsLoopback
  const isTrusted = (origin: string) => trusted.has(origin) || (trustsLoopback && LOOPBACK.test(origin))
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
