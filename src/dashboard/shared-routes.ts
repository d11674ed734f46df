// GET /shared/{token}: the page of one task for whoever has the link, and what that page asks for. It needs no login, and
// a login that is sent along counts for nothing here.
import { Hono, type MiddlewareHandler } from 'hono'
import type { Access } from '../access/access.ts'
import type { ApiEnv } from '../api/context.ts'
import { isMadhavaError } from '../core/errors.ts'
import { strangerOf } from '../core/policy.ts'
import type { DashboardEnv } from './access/caller.ts'
import { sendPage } from './page-routes.ts'
import { SHARED } from './web/paths.ts'
import type { WebFiles } from './web-files.ts'

export interface SharedRoutesOptions {
  access: Pick<Access, 'openShare'>
  /** The task API. */
  api: Pick<Hono<ApiEnv>, 'fetch'>
  web: Pick<WebFiles, 'html' | 'kindsLeftOut'>
}

/** Where the page asks: the API behind it has the same addresses without this. */
const PREFIX = '/api'

/** The address is a secret: no other site is told of it, and nobody finds it by a search. Of refusals too. */
const keepSecret: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  await next()
  c.res.headers.set('Referrer-Policy', 'no-referrer')
  c.res.headers.set('X-Robots-Tag', 'noindex')
}

/** @throws STORE_UNAVAILABLE */
export const createSharedRoutes = ({ access, api, web }: SharedRoutesOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  // below it too: what is mistyped is no less a secret
  for (const prefix of ['', PREFIX]) app.use(`${prefix}${SHARED}/*`, keepSecret)

  app.get(SHARED, async c => {
    const isValid = await access.openShare(c.req.param('token') ?? '').then(
      () => true,
      (error: unknown) => {
        if (!isMadhavaError(error, 'SHARE_NOT_FOUND')) throw error
        return false
      },
    )
    // the page says it in the reader's language
    return sendPage(c, web, isValid ? 200 : 404)
  })

  for (const what of ['', '/result', '/events', '/artifacts/:name'])
    app.get(`${PREFIX}${SHARED}${what}`, async c => {
      const url = new URL(c.req.url)
      url.pathname = url.pathname.slice(PREFIX.length)
      // the link itself says who reads; whatever else the request shows is left out
      const stranger = strangerOf('none', 'dashboard')
      return api.fetch(new Request(url, c.req.raw), { ...(c.env as object), actor: stranger })
    })
  return app
}
