// GET /livez and /readyz, for those who restart and balance.
import { Hono } from 'hono'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'
import { liveness, readinessAnswer } from './schemas.ts'

const getLivez: Operation = {
  id: 'getLivez',
  tag: 'server',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'It does.', content: { [JSON_TYPE]: liveness } } },
}

const getReadyz: Operation = {
  id: 'getReadyz',
  tag: 'server',
  summary: 'Whether the bundle can do its work, with a reason per check',
  answers: {
    200: { description: 'It can, some checks perhaps degraded.', content: { [JSON_TYPE]: readinessAnswer } },
    503: { description: 'It cannot.', content: { [JSON_TYPE]: readinessAnswer } },
  },
}

export const healthRoutes = ({ readiness }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    // that it answers is the answer
    .get('/livez', describe(getLivez), c => sendJson(c, { ok: true }))
    .get('/readyz', describe(getReadyz), async c => {
      const ready = await readiness()
      return sendJson(c, ready, ready.ok ? 200 : 503)
    })
