export const EXPOSED = 'ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id'
const ALLOWED = 'Authorization, Content-Type, If-Match, If-None-Match, X-Expected-Version, X-Request-Id'
export const PREFLIGHT_MAX_AGE_SECONDS = '600'

export type Cors = ReturnType<typeof createCors>

/** Cross-origin access for the configured origins only (Fetch standard, CORS protocol). */
export function createCors(trustedOrigins: readonly string[]) {
  const trusted = new Set(trustedOrigins)
  return {
    /** Adds headers to an answer. An untrusted origin gets none, so its browser withholds the answer. */
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
