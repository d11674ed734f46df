// GET /shared/{token}: the page of one task for whoever has the link, and what that page asks for. It needs no login, and
// a login that is sent along counts for nothing here.
import { type Context, Hono } from 'hono'
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
  web: Pick<WebFiles, 'html'>
}

/** Where the page asks: the API behind it has the same addresses without this. */
const PREFIX = '/api'

/** Every answer: the address is a secret, so no other site is told of it, and nobody finds it by a search. */
const keepSecret = (c: Context): void => {
  c.header('Referrer-Policy', 'no-referrer')
  c.header('X-Robots-Tag', 'noindex')
}

/** @throws STORE_UNAVAILABLE */
export const createSharedRoutes = ({ access, api, web }: SharedRoutesOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  app.get(SHARED, async c => {
    const isValid = await access.openShare(c.req.param('token') ?? '').then(
      () => true,
      (error: unknown) => {
        if (!isMadhavaError(error, 'SHARE_NOT_FOUND')) throw error
        return false
      },
    )
    keepSecret(c)
    // the page says it in the reader's language
    return sendPage(c, web, isValid ? 200 : 404)
  })

  for (const what of ['', '/result', '/events'])
    app.get(`${PREFIX}${SHARED}${what}`, async c => {
      const url = new URL(c.req.url)
      url.pathname = url.pathname.slice(PREFIX.length)
      // the link itself says who reads; whatever else the request shows is left out
      const stranger = strangerOf('none', 'dashboard')
      const answer = await api.fetch(new Request(url, c.req.raw), { ...(c.env as object), actor: stranger })
      keepSecret(c)
      return answer
    })
  return app
}
