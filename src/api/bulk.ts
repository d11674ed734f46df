// POST /tasks/cancel, /tasks/retry and /tasks/delete: one action on all tasks that a filter names.
import { Hono } from 'hono'
import { BULK_ACTIONS, BULK_LIMITS, type BulkAction } from '../core/bulk.ts'
import { MadhavaError } from '../core/errors.ts'
import { type ApiDeps, type ApiEnv, watchLogin } from './context.ts'
import { sendJson } from './json.ts'
import { bulkQuery, parseBulk } from './list-query.ts'
import { describe, type Operation } from './operation.ts'
import { withOwnerId } from './owner-names.ts'
import { bulkOutcome } from './schemas.ts'

const operation = (action: BulkAction, summary: string, meant: string): Operation => ({
  id: `${action}Tasks`,
  need: 'submit',
  audit: `tasks.${action}`,
  tag: 'lists',
  summary,
  description: `${meant} The filter is that of \`GET /tasks\`; with \`dryRun=1\` tasks are only counted. One call changes at most ${BULK_LIMITS.tasks} tasks and takes at most some ${BULK_LIMITS.ms / 1000} s: \`next\` is the cursor to go on with, null when all is done.`,
  query: bulkQuery,
  answers: {
    200: { description: 'What was done.', content: { 'application/json': bulkOutcome } },
  },
  errors: ['BAD_CURSOR', 'STORE_FULL'],
})

const BULK_OPERATIONS: Readonly<Record<BulkAction, Operation>> = {
  cancel: operation('cancel', 'Cancel all tasks of a filter', 'Those that have not ended.'),
  retry: operation('retry', 'Run all ended tasks of a filter again', 'Those that have ended.'),
  delete: operation('delete', 'Remove all ended tasks of a filter', 'Those that have ended, all of them.'),
}

export const bulkRoutes = ({ service, access }: ApiDeps): Hono<ApiEnv> => {
  const app = new Hono<ApiEnv>()
  for (const action of BULK_ACTIONS)
    app.post(`/tasks/${action}`, describe(BULK_OPERATIONS[action]), async c => {
      const { filter, all, ...options } = parseBulk(c.req.url)
      // a filter that was forgotten must not be everything
      if (Object.keys(filter).length === 0 && !all)
        throw new MadhavaError('BAD_REQUEST', 'Name a filter, or say all=1 for every task')
      const actor = c.get('actor')
      const wanted = await withOwnerId(access, filter)
      const login = watchLogin(c, access)
      try {
        const outcome = await service.bulk(actor, action, wanted, { ...options, signal: login.signal })
        return sendJson(c, outcome)
      } finally {
        login.close()
      }
    })
  return app
}
