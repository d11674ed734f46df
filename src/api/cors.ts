// Pages of other origins that CORS_ORIGINS names: what a browser wants to hear before it lets them in. Without the
// setting there is no CORS at all. Credentials are never allowed: such a page sends a key, and no cookie. Hono's own middleware answers every
// OPTIONS itself, so that `Allow` and the guards behind it would be skipped.
import type { MiddlewareHandler } from 'hono'
import type { ApiEnv } from './context.ts'

/** What pages may send beside what every page may, and may read of an answer. */
const ALLOWED =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, X-Request-Id'
const EXPOSED =
  'Accept-Ranges, Content-Range, ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id'
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const PREFLIGHT_SECONDS = '600'

/** @param origins exactly as browsers send them: `https://app.example.org`, without a path */
export const allowOrigins = (origins: readonly string[]): MiddlewareHandler<ApiEnv> => {
  const known = new Set(origins)
  return async (c, next) => {
    if (known.size === 0) return next()
    // answers differ by it, so a cache may not mix them up
    c.header('Vary', 'Origin', { append: true })
    const origin = c.req.header('origin')
    if (origin === undefined || !known.has(origin)) return next()
    c.set('friend', true)
    c.header('Access-Control-Allow-Origin', origin)
    if (c.req.method !== 'OPTIONS' || c.req.header('access-control-request-method') === undefined) {
      c.header('Access-Control-Expose-Headers', EXPOSED)
      return next()
    }
    c.header('Access-Control-Allow-Methods', METHODS)
    c.header('Access-Control-Allow-Headers', ALLOWED)
    c.header('Access-Control-Max-Age', PREFLIGHT_SECONDS)
    return next()
  }
}
