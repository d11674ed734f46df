// GET /task/{id}/events and GET /events: Server-Sent Events. What is told is decided by core/watch.
import { Hono } from 'hono'
import { isFinal, versionOf } from '../core/task.ts'
import { showTask, viewTask } from '../core/task-view.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, clientKeyIn, watchLogin } from './context.ts'
import { parseWatch, watchQuery } from './list-query.ts'
import { type Answer, describe, type Operation } from './operation.ts'
import { withOwnerId } from './owner-names.ts'
import { defineQuery, textParameter } from './query.ts'
import { createEventWriter } from './sse.ts'
import type { Streams } from './streams.ts'

export const RESUME = { 'Last-Event-ID': 'the id of the last event that was seen: go on behind it' }
export const EVENTS: Answer = {
  description: 'The events.',
  headers: { 'X-Accel-Buffering': 'tells proxies to hold nothing back' },
  content: { 'text/event-stream': null },
}

const COMMON = `Every 15 s of silence bring a comment. The last event is \`end\` with
\`{"reason"}\`: \`slow\` (more than 1,000 tasks or 16 MB of events waited for this reader), \`shutdown\` and \`broken\` want
a new connection with the last id, as browsers make it by themselves; \`login\` wants a new login`

const taskEventsQuery = defineQuery({
  since: textParameter(100)
    .optional()
    .describe(
      'as `Last-Event-ID`, for who cannot send headers: a version, as in the ETag without its quotes',
    ),
})

const taskEvents: Operation = {
  id: 'watchTask',
  need: 'read',
  tag: 'tasks',
  summary: "A task's changes as they happen",
  description: `Server-Sent Events: \`task\` with the record, at first and at every change; a reader that is slow gets
the last one of several. The id is the version of the record, so it is never too old. \`removed\` has the id of a task
that was removed. ${COMMON}; \`final\` and \`removed\` are the end. After the final status the stream ends; who comes
again with its id gets 204.`,
  query: taskEventsQuery,
  headers: RESUME,
  answers: {
    200: EVENTS,
    204: { description: 'The task has ended, and the caller has seen its end.' },
  },
  errors: ['BAD_ID', 'TASK_NOT_FOUND', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

const watchEvents: Operation = {
  id: 'watchTasks',
  need: 'read',
  tag: 'lists',
  summary: 'The changes of all tasks as they happen',
  description: `Server-Sent Events: \`live\` once everything that was missed is told; \`task\` with the task as lists show
it, whenever it changes and fits the filter then; \`removed\` with the id of any task that was removed. Who resumes is
told of each task that changed meanwhile, as it is now. Whose cursor is too old, or unknown, is told so by \`snapshot\`
with \`{"reason": "too-old" | "unknown" | "asked"}\`: then every task that fits is told, up to \`live\`. ${COMMON}.`,
  query: watchQuery,
  headers: RESUME,
  answers: { 200: EVENTS },
  errors: ['TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // a proxy that changes or collects what passes would hold events back
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}

/** Where to go on: browsers send the header when they connect again, by themselves. */
export const resumeAt = (c: ApiContext, since: string | undefined): string | null =>
  c.req.header('last-event-id') || since || null

export const liveRoutes =
  (streams: Streams) =>
  ({ service, access, log }: ApiDeps): Hono<ApiEnv> => {
    const writeRecord = createEventWriter(showTask)
    const writeView = createEventWriter(viewTask)
    return new Hono<ApiEnv>()
      .get('/task/:id/events', describe(taskEvents), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        const since = resumeAt(c, taskEventsQuery.read(c.req.url).since)
        const task = await service.get(actor, id)
        // a browser that is told of the end connects again, and only this makes it stop
        if (isFinal(task.status) && versionOf(task) === since) return c.body(null, 204)
        if (c.req.method === 'HEAD') return c.body(null, 200, STREAM_HEADERS)
        const stream = streams.open(c.req.raw.signal, clientKeyIn(c), watchLogin(c, access))
        const events = service.watchTask(actor, id, since, stream.signal)
        const options = { stream, events, write: writeRecord, log, requestId: c.get('requestId') }
        return c.body(
          streams.body({ ...options, ended: last => (last?.type === 'removed' ? 'removed' : 'final') }),
          200,
          STREAM_HEADERS,
        )
      })
      .get('/events', describe(watchEvents), async c => {
        const { filter, since, snapshot } = parseWatch(c.req.url)
        const wanted = await withOwnerId(access, filter)
        if (c.req.method === 'HEAD') return c.body(null, 200, STREAM_HEADERS)
        const from = { since: resumeAt(c, since), snapshot }
        const actor = c.get('actor')
        const stream = streams.open(c.req.raw.signal, clientKeyIn(c), watchLogin(c, access))
        const events = service.watchAll(actor, wanted, from, stream.signal)
        const options = { stream, events, write: writeView, log, requestId: c.get('requestId') }
        return c.body(streams.body({ ...options, ended: () => 'broken' }), 200, STREAM_HEADERS)
      })
  }
