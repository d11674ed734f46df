// What the routes that tell of changes say about themselves.

import { boundedText } from '../core/list-bounds.ts'
import { watchQuery } from './list-query.ts'
import type { Operation } from './operation.ts'
import { defineQuery } from './query.ts'

const STREAM = 'text/event-stream'
const RESUME = { 'Last-Event-ID': 'the id of the last event that was seen: go on behind it' }
const HEADERS = { 'X-Accel-Buffering': 'tells proxies to hold nothing back' }

const COMMON = `Every 15 s of silence bring a comment. The last event is \`end\` with
\`{"reason"}\`: \`slow\` (more than 1,000 tasks or 16 MB of events waited for this reader), \`shutdown\` and \`broken\` want
a new connection with the last id, as browsers make it by themselves`

export const taskEventsQuery = defineQuery({
  since: boundedText(100)
    .optional()
    .describe(
      'as `Last-Event-ID`, for who cannot send headers: a version, as in the ETag without its quotes',
    ),
})

export const taskEvents: Operation = {
  id: 'watchTask',
  tag: 'tasks',
  summary: "A task's changes as they happen",
  description: `Server-Sent Events: \`task\` with the record, at first and at every change; a reader that is slow gets
the last one of several. The id is the version of the record, so it is never too old. \`removed\` has the id of a task
that was removed. ${COMMON}; \`final\` and \`removed\` are the end. After the final status the stream ends; who comes
again with its id gets 204.`,
  query: taskEventsQuery,
  headers: RESUME,
  answers: {
    200: { description: 'The events.', headers: HEADERS, content: { [STREAM]: null } },
    204: { description: 'The task has ended, and the caller has seen its end.' },
  },
  errors: ['BAD_ID', 'TASK_NOT_FOUND', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

export const watchEvents: Operation = {
  id: 'watchTasks',
  tag: 'lists',
  summary: 'The changes of all tasks as they happen',
  description: `Server-Sent Events: \`live\` once everything that was missed is told; \`task\` with the task as lists show
it, whenever it changes and fits the filter then; \`removed\` with the id of any task that was removed. Who resumes is
told of each task that changed meanwhile, as it is now. Whose cursor is too old, or unknown, is told so by \`snapshot\`
with \`{"reason": "too-old" | "unknown" | "asked"}\`: then every task that fits is told, up to \`live\`. ${COMMON}.`,
  query: watchQuery,
  headers: RESUME,
  answers: { 200: { description: 'The events.', headers: HEADERS, content: { [STREAM]: null } } },
  errors: ['TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}
