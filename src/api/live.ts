// GET /task/{id}/events and GET /events: Server-Sent Events. What is told is decided by core/watch.
import { Hono } from 'hono'
import { isFinal, versionOf } from '../core/task.ts'
import { viewTask } from '../core/task-view.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, ownerIn } from './context.ts'
import { parseWatch } from './list-query.ts'
import { taskEvents, taskEventsQuery, watchEvents } from './live-operations.ts'
import { describe } from './operation.ts'
import { createEventWriter } from './sse.ts'
import type { Streams } from './streams.ts'

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // a proxy that changes or collects what passes would hold events back
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}

/** Where to go on: browsers send the header when they connect again, by themselves. */
const resumeAt = (c: ApiContext, since: string | undefined): string | null =>
  c.req.header('last-event-id') || since || null

export const liveRoutes =
  (streams: Streams) =>
  ({ service, log }: ApiDeps): Hono<ApiEnv> => {
    const writeRecord = createEventWriter(task => task)
    const writeView = createEventWriter(viewTask)
    return new Hono<ApiEnv>()
      .get('/task/:id/events', describe(taskEvents), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        const since = resumeAt(c, taskEventsQuery.read(c.req.url).since)
        const task = await service.get(actor, id)
        // a browser that is told of the end connects again, and only this makes it stop
        if (isFinal(task.status) && versionOf(task) === since) return c.body(null, 204)
        if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS)
        const place = streams.open(c.req.raw.signal, ownerIn(c))
        const events = service.watchTask(actor, id, since, place.signal)
        const options = { place, events, write: writeRecord, log, requestId: c.get('requestId') }
        return c.body(
          streams.body({ ...options, ended: last => (last?.type === 'removed' ? 'removed' : 'final') }),
          200,
          HEADERS,
        )
      })
      .get('/events', describe(watchEvents), c => {
        const { filter, since, snapshot } = parseWatch(c.req.url)
        if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS)
        const from = { since: resumeAt(c, since), snapshot }
        const place = streams.open(c.req.raw.signal, ownerIn(c))
        const events = service.watchAll(c.get('actor'), filter, from, place.signal)
        const options = { place, events, write: writeView, log, requestId: c.get('requestId') }
        return c.body(streams.body({ ...options, ended: () => 'broken' }), 200, HEADERS)
      })
  }
