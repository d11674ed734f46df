// POST /tasks/cancel, /tasks/retry and /tasks/delete: one action on all tasks that a filter names.
import { Hono } from 'hono'
import { BULK_ACTIONS } from '../core/bulk.ts'
import { MadhavaError } from '../core/errors.ts'
import { BULK_OPERATIONS } from './bulk-operations.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendJson } from './json.ts'
import { parseBulk } from './list-query.ts'
import { describe } from './operation.ts'

export const bulkRoutes = ({ service }: ApiDeps): Hono<ApiEnv> => {
  const app = new Hono<ApiEnv>()
  for (const action of BULK_ACTIONS)
    app.post(`/tasks/${action}`, describe(BULK_OPERATIONS[action]), async c => {
      const { filter, all, ...options } = parseBulk(c.req.url)
      // a filter that was forgotten must not be everything
      if (Object.keys(filter).length === 0 && !all)
        throw new MadhavaError('BAD_REQUEST', 'Name a filter, or say all=1 for every task')
      return sendJson(c, await service.bulk(c.get('actor'), action, filter, options))
    })
  return app
}
