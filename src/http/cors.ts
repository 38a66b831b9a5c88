const EXPOSED = 'ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id'
const ALLOWED = 'Authorization, Content-Type, If-Match, If-None-Match, X-Expected-Version, X-Request-Id'
const PREFLIGHT_MAX_AGE_SECONDS = '600'

export type Cors = ReturnType<typeof createCors>

/** Cross-origin access for the origins in the configuration and no others (Fetch standard, CORS protocol). */
export function createCors(trustedOrigins: readonly string[]) {
  const trusted = new Set(trustedOrigins)
  return {
    /** Headers for the answer to a request; an untrusted origin gets none of them, so its browser keeps the answer from it. */
    apply(request: Request, headers: Headers) {
      if (trusted.size === 0) return
      headers.append('Vary', 'Origin')
      const origin = request.headers.get('origin')
      if (origin === null || !trusted.has(origin)) return
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
