// The task API under /api: the same app that the api process serves, behind the dashboard's own login. It runs in this
// process, so the pages work while the api process does not.
import { Hono } from 'hono'
import type { ApiEnv } from '../api/context.ts'
import { MadhavaError } from '../core/errors.ts'
import { type DashboardEnv, requireLogin, requireToken, whoOf } from './access/caller.ts'
import { actorOfWho, deedOfApi, demandRight } from './access/rights.ts'
import type { Sessions } from './access/session.ts'

const PREFIX = '/api'
const READING = ['GET', 'HEAD']
/** What the pages need. Left out above all: GET /calcpi, which changes something. */
const OPEN =
  /^\/(?:|tasks(?:\/(?:cancel|retry|delete))?|alltasks|task\/.+|events|kinds|dead(?:\/.+)?|readyz)$/

export interface ApiMountOptions {
  api: Pick<Hono<ApiEnv>, 'fetch'>
  session: Sessions
}

export const createApiMount = ({ api, session }: ApiMountOptions): Hono<DashboardEnv> => {
  const token = requireToken(session)
  return new Hono<DashboardEnv>().all(
    `${PREFIX}/*`,
    requireLogin,
    (c, next) => (READING.includes(c.req.method) ? next() : token(c, next)),
    c => {
      const url = new URL(c.req.url)
      url.pathname = url.pathname.slice(PREFIX.length) || '/'
      if (!OPEN.test(url.pathname)) throw new MadhavaError('NOT_FOUND')
      const who = whoOf(c)
      demandRight(who, deedOfApi({ method: c.req.method, path: url.pathname }))
      const actor = actorOfWho(who)
      return api.fetch(new Request(url, c.req.raw), { ...(c.env as object), actor })
    },
  )
}
