// The task API under /api: the same app that the api process serves, behind the dashboard's own login. It runs in this
// process, so the pages work while the api process does not.
import { Hono, type MiddlewareHandler } from 'hono'
import type { ApiEnv } from '../api/context.ts'
import { MadhavaError } from '../core/errors.ts'
import { requirePageToken } from './json-guard.ts'
import { type DashboardEnv, requireSession } from './login.ts'
import { OPERATOR_NAME } from './operator.ts'
import type { Sessions } from './session.ts'

const PREFIX = '/api'
/** What the pages need. Left out above all: GET /calcpi, which changes something. */
const OPEN =
  /^\/(?:|tasks(?:\/(?:cancel|retry|delete))?|alltasks|task\/.+|events|kinds|dead(?:\/.+)?|readyz)$/

export interface ApiMountOptions {
  api: Pick<Hono<ApiEnv>, 'fetch'>
  session: Sessions
  /** Refuses who may not do what the request asks. Left out: who is logged in may do everything. */
  allow?: MiddlewareHandler<DashboardEnv>
}

export const createApiMount = ({
  api,
  session,
  allow = (_c, next) => next(),
}: ApiMountOptions): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>().all(`${PREFIX}/*`, requireSession, requirePageToken(session), allow, c => {
    const url = new URL(c.req.url)
    url.pathname = url.pathname.slice(PREFIX.length) || '/'
    if (!OPEN.test(url.pathname)) throw new MadhavaError('NOT_FOUND')
    const actor = { name: OPERATOR_NAME, via: 'dashboard' as const }
    return api.fetch(new Request(url, c.req.raw), { ...(c.env as object), actor })
  })
