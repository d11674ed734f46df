// The headers that keep browsers from doing more with an answer than it is meant for: Hono's, as far as they say
// something here, and no caching.
import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'

type Options = NonNullable<Parameters<typeof secureHeaders>[0]>

/** On every answer; a header that a handler has set stays. */
export const sendSecureHeaders = ({
  contentSecurityPolicy,
  referrerPolicy,
}: {
  contentSecurityPolicy: NonNullable<Options['contentSecurityPolicy']>
  referrerPolicy: string
}): MiddlewareHandler => {
  const secure = secureHeaders({
    contentSecurityPolicy,
    referrerPolicy,
    xFrameOptions: 'DENY',
    // about plain HTTP we cannot promise that there is HTTPS; the others are for browsers of long ago
    strictTransportSecurity: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    removePoweredBy: false,
    overwrite: false,
  })
  return (c, next) => {
    c.header('Cache-Control', 'no-store')
    return secure(c, next)
  }
}
