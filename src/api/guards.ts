// Who may ask at all: the Host header, other web sites, and the length of the address. The rules themselves are in
// platform/http-guards.
import type { MiddlewareHandler } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import { createHostGuard, isCrossSite, isLookingAhead, isUnproven, isVisit } from '../platform/http-guards.ts'
import type { ApiContext, ApiEnv } from './context.ts'

export const URL_LIMIT_BYTES = 8 * 1024
/** Methods that change nothing, GET /calcpi apart. */
export const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/** @throws CROSS_SITE */
export const refuseCrossSite = (c: ApiContext): void => {
  if (c.get('friend')) return
  const header = (name: string) => c.req.header(name) ?? null
  const request = { method: c.req.method, header }
  if (isCrossSite({ host: header('host'), origin: header('origin'), site: header('sec-fetch-site') }))
    throw new MadhavaError('CROSS_SITE', 'A page of another web site may not create or change anything here')
  if (isUnproven(request))
    throw new MadhavaError(
      'CROSS_SITE',
      'Over plain HTTP a browser does not say whether you asked or a page of another web site, so this was not done: use HTTPS, an address of this machine itself such as localhost, the page /docs, or a program that sends POST /tasks',
    )
  if (isLookingAhead(request))
    throw new MadhavaError('CROSS_SITE', 'A browser that only looks ahead creates nothing here')
}

/** Refuses what no person has gone to: a picture or a frame of some page. @throws CROSS_SITE */
export const demandVisit = (c: ApiContext): void => {
  if (!isVisit({ header: name => c.req.header(name) ?? null }))
    throw new MadhavaError('CROSS_SITE', 'A browser is to go to this address, and no page may load it')
}

/** Runs before every route. Routes that create by GET call `refuseCrossSite` themselves. */
export const guardRequests = (allowedHosts: readonly string[]): MiddlewareHandler<ApiEnv> => {
  const isAllowedHost = createHostGuard(allowedHosts)
  return async (c, next) => {
    if (!isAllowedHost(c.req.header('host') ?? null))
      throw new MadhavaError(
        'HOST_NOT_ALLOWED',
        'This server does not answer for that host name; ALLOWED_HOSTS can name it',
      )
    if (c.req.url.length - c.req.url.indexOf('/', 8) > URL_LIMIT_BYTES)
      throw new MadhavaError('URI_TOO_LONG', `The address may have at most ${URL_LIMIT_BYTES} bytes`)
    if (!SAFE_METHODS.includes(c.req.method)) refuseCrossSite(c)
    await next()
  }
}
