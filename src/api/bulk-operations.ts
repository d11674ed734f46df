// What the routes that act on many tasks say about themselves.
import { BULK_LIMITS, type BulkAction } from '../core/bulk.ts'
import { bulkQuery } from './list-query.ts'
import type { Operation } from './operation.ts'
import { bulkOutcome } from './schemas.ts'

const operation = (action: BulkAction, summary: string, meant: string): Operation => ({
  id: `${action}Tasks`,
  tag: 'lists',
  summary,
  description: `${meant} The filter is that of \`GET /tasks\`; with \`dryRun=1\` tasks are only counted. One call changes at most ${BULK_LIMITS.tasks} tasks and takes at most some ${BULK_LIMITS.ms / 1000} s: \`next\` is the cursor to go on with, null when all is done.`,
  query: bulkQuery,
  answers: {
    200: { description: 'What was done.', content: { 'application/json': bulkOutcome } },
  },
  errors: ['BAD_CURSOR', 'STORE_FULL'],
})

export const BULK_OPERATIONS: Readonly<Record<BulkAction, Operation>> = {
  cancel: operation('cancel', 'Cancel all tasks of a filter', 'Those that have not ended.'),
  retry: operation('retry', 'Run all ended tasks of a filter again', 'Those that have ended.'),
  delete: operation('delete', 'Remove all ended tasks of a filter', 'Those that have ended, all of them.'),
}
