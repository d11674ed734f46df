// GET /task/{id}/log: the task's own log as text, as entries, and live.
import { Hono } from 'hono'
import { z } from 'zod'
import type { LogEvent } from '../core/log-reader.ts'
import { isGap } from '../core/task-log.ts'
import { viewTask } from '../core/task-view.ts'
import { sendContent } from './content.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, clientKeyIn, watchLogin } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { EVENTS, RESUME, resumeAt, STREAM_HEADERS } from './live.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery, switchParameter } from './query.ts'
import { logEntries } from './schemas.ts'
import { eventText } from './sse.ts'
import type { Streams } from './streams.ts'
import { PART, RANGES, UNKNOWN } from './task.ts'

const logQuery = defineQuery({
  format: z
    .enum(['text', 'json'])
    .default('text')
    .describe('json: the entries, each line with its number, time, attempt and level'),
  follow: switchParameter().describe('1: as Server-Sent Events, up to the end of the task'),
  since: z
    .string()
    .regex(/^\d{1,15}(-[\w-]{1,80})?$/, 'must be the number of a line, or the id of an event')
    .optional()
    .describe(
      'with `format=json`: only what comes after the line with this number; with `follow=1`: as `Last-Event-ID`',
    ),
})

const getLog: Operation = {
  id: 'getLog',
  need: 'read',
  tag: 'tasks',
  summary: "The task's own log",
  description: `The first 200 lines and the last 800 are kept, up to 48 and 176 KiB. Where lines are left out stands a
mark. With \`follow=1\` Server-Sent Events: \`line\` and \`omitted\` (a mark) as the entries of \`format=json\`, first
those that are there. The id is the number of the line, so that a follower resumes without a lost or doubled one; what
it missed and is kept no more is told by a mark. When the task has ended, \`task\` is the task as lists show it, and
\`end\` with \`{"reason": "final"}\` the last event; who comes again with the id of \`task\` gets 204. Every 15 s of
silence bring a comment. Other reasons of \`end\` are those of \`/task/{id}/events\`.`,
  query: logQuery,
  headers: { Range: `${RANGES.Range} of the text`, ...RESUME },
  answers: {
    200: {
      description: 'The log; nothing when the task has written none.',
      headers: { 'Accept-Ranges?': 'bytes' },
      content: { 'text/plain': null, [JSON_TYPE]: logEntries, ...EVENTS.content },
    },
    204: { description: 'The task has ended, and the follower has seen its end.' },
    206: { description: 'The range that was asked for.', headers: PART, content: { 'text/plain': null } },
  },
  errors: [...UNKNOWN, 'RANGE_NOT_SATISFIABLE', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

const writeEvent = (event: LogEvent): string => {
  if (event.type === 'task') return eventText('task', viewTask(event.task), event.cursor)
  return eventText(isGap(event.entry) ? 'omitted' : 'line', event.entry, event.cursor)
}

export const taskLogRoutes =
  (streams: Streams) =>
  ({ service, access, log }: ApiDeps): Hono<ApiEnv> => {
    const follow = async (c: ApiContext, id: string, since: string | null): Promise<Response> => {
      const actor = c.get('actor')
      // a browser that was told of the end connects again, and only this makes it stop
      if (await service.isLogOver(actor, id, since)) return c.body(null, 204)
      if (c.req.method === 'HEAD') return c.body(null, 200, STREAM_HEADERS)
      const stream = streams.open(c.req.raw.signal, clientKeyIn(c), watchLogin(c, access))
      const body = streams.body<LogEvent>({
        stream,
        events: service.followLog(actor, id, since, stream.signal),
        write: writeEvent,
        ended: last => (last?.type === 'task' ? 'final' : 'broken'),
        log,
        requestId: c.get('requestId'),
      })
      return c.body(body, 200, STREAM_HEADERS)
    }
    return new Hono<ApiEnv>().get('/task/:id/log', describe(getLog), async c => {
      const [actor, id] = [c.get('actor'), c.req.param('id')]
      const query = logQuery.read(c.req.url)
      if (query.follow) return follow(c, id, resumeAt(c, query.since))
      if (query.format === 'text') return sendContent(c, await service.log(actor, id), null, log)
      return sendJson(c, await service.logEntries(actor, id, Number.parseInt(query.since ?? '0', 10)))
    })
  }
