// What a change has to bring that comes as JSON from a page of ours: the right origin, and the token of its session.
import type { Context, MiddlewareHandler } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import { isCrossSite, isUnproven } from '../platform/http-guards.ts'
import type { DashboardEnv } from './login.ts'
import type { Sessions } from './session.ts'

export const TOKEN_HEADER = 'x-csrf-token'
const SAFE_METHODS = ['GET', 'HEAD']

/** @throws CROSS_SITE */
export const refuseForeign = (c: Context): void => {
  const header = (name: string): string | null => c.req.header(name) ?? null
  const [host, origin, site] = [header('host'), header('origin'), header('sec-fetch-site')]
  if (isCrossSite({ host, origin, site }) || isUnproven({ method: c.req.method, header }))
    throw new MadhavaError('CROSS_SITE')
}

/** Lets reads pass, and changes that this session's own page asks for. @throws CROSS_SITE, FORBIDDEN */
export const requirePageToken =
  (sessions: Sessions): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    if (SAFE_METHODS.includes(c.req.method)) return next()
    refuseForeign(c)
    const session = c.get('session')
    if (!session || !sessions.isFormToken(session, c.req.header(TOKEN_HEADER) ?? ''))
      throw new MadhavaError('FORBIDDEN', 'The page is no longer current; reload it and try again')
    await next()
  }
