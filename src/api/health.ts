// GET /livez and /readyz, for those who restart and balance.
import { Hono } from 'hono'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendJson } from './json.ts'
import { describe } from './operation.ts'
import { getLivez, getReadyz } from './server-operations.ts'

export const healthRoutes = ({ readiness }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    // that it answers is the answer
    .get('/livez', describe(getLivez), c => sendJson(c, { ok: true }))
    .get('/readyz', describe(getReadyz), async c => {
      const ready = await readiness()
      return sendJson(c, ready, ready.ok ? 200 : 503)
    })
