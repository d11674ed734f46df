// GET /livez and /readyz, for those who restart and balance.
import { Hono } from 'hono'
import { mayDo, seesAll } from '../core/policy.ts'
import type { Readiness } from '../core/readiness.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'
import { liveness, readinessAnswer } from './schemas.ts'

const getLivez: Operation = {
  id: 'getLivez',
  need: 'open',
  tag: 'server',
  summary: 'Whether the process answers',
  answers: { 200: { description: 'It does.', content: { [JSON_TYPE]: liveness } } },
}

const getReadyz: Operation = {
  id: 'getReadyz',
  need: 'open',
  tag: 'server',
  summary: 'Whether the bundle can do its work, with a reason per check',
  description: 'Who does not see all gets the status words without their reasons.',
  answers: {
    200: { description: 'It can, some checks perhaps degraded.', content: { [JSON_TYPE]: readinessAnswer } },
    503: { description: 'It cannot.', content: { [JSON_TYPE]: readinessAnswer } },
  },
}

/** For who does not see all: a reason may name hosts, folders and addresses. */
const withoutReasons = ({ ok, checks }: Readiness): Readiness => ({
  ok,
  checks: Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, { status }])),
})

export const healthRoutes = ({ readiness }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    // that it answers is the answer
    .get('/livez', describe(getLivez), c => sendJson(c, { ok: true }))
    .get('/readyz', describe(getReadyz), async c => {
      const ready = await readiness()
      const actor = c.get('actor')
      const shown = mayDo(actor, 'read') && seesAll(actor) ? ready : withoutReasons(ready)
      return sendJson(c, shown, ready.ok ? 200 : 503)
    })
