// Links that read one task: made and withdrawn by who may change it, read by whoever has the link.
import { Hono } from 'hono'
import { z } from 'zod'
import { isFinal, versionOf } from '../core/task.ts'
import { showTask } from '../core/task-view.ts'
import { readBodyAs, shareList, shareMade, shareWanted } from './access-schemas.ts'
import { sendContent } from './content.ts'
import { type ApiDeps, type ApiEnv, clientKeyIn } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { EVENTS, RESUME, resumeAt, STREAM_HEADERS } from './live.ts'
import { describe, type Operation } from './operation.ts'
import { etagOf, matchesEtag } from './request-headers.ts'
import { task as taskSchema } from './schemas.ts'
import { createEventWriter } from './sse.ts'
import type { Streams } from './streams.ts'
import { RANGES, RESULT_ANSWERS, RESULT_ERRORS, UNKNOWN } from './task.ts'

const LINK = 'The link says enough: nobody has to log in.'
const ofLink = { token: z.string().describe('of the link') }

const shareTask: Operation = {
  id: 'shareTask',
  need: 'submit',
  audit: 'share.create',
  tag: 'tasks',
  summary: 'Make a link that reads this task, and nothing else',
  description:
    'Whoever has the link reads the record, the events and the result, until it expires, is withdrawn, or the account that made it is gone.',
  body: { content: { [JSON_TYPE]: shareWanted }, example: { seconds: 3600 } },
  answers: {
    201: {
      description: 'The link, shown this once.',
      headers: { Location: 'the link' },
      content: { [JSON_TYPE]: shareMade },
    },
  },
  errors: [...UNKNOWN, 'TOO_MANY_SHARES', 'STORE_FULL'],
}

const listShares: Operation = {
  id: 'listShares',
  need: 'submit',
  tag: 'tasks',
  summary: 'The links of a task that are valid',
  answers: { 200: { description: 'All of them.', content: { [JSON_TYPE]: shareList } } },
  errors: [...UNKNOWN],
}

const withdrawShare: Operation = {
  id: 'withdrawShare',
  need: 'submit',
  audit: 'share.withdraw',
  tag: 'tasks',
  summary: 'Withdraw a link of a task',
  path: { share: z.string().describe('id of the link') },
  answers: { 204: { description: 'It is no longer valid.' } },
  errors: [...UNKNOWN, 'SHARE_NOT_FOUND'],
}

const getShared: Operation = {
  id: 'getShared',
  need: 'open',
  tag: 'tasks',
  summary: 'The record of a shared task',
  description: LINK,
  path: ofLink,
  headers: { 'If-None-Match': 'ETags that are known: 304 when the task has not changed' },
  answers: {
    200: {
      description: 'The record.',
      headers: { ETag: 'version of the task' },
      content: { [JSON_TYPE]: taskSchema },
    },
    304: { description: 'Not changed.', headers: { ETag: 'version of the task' } },
  },
  errors: ['SHARE_NOT_FOUND', 'TASK_NOT_FOUND'],
}

const getSharedResult: Operation = {
  id: 'getSharedResult',
  need: 'open',
  tag: 'tasks',
  summary: 'The whole result of a shared task',
  description: LINK,
  path: ofLink,
  headers: { ...RANGES, 'If-None-Match': 'ETags that are known: 304 when the task has not changed' },
  answers: RESULT_ANSWERS,
  errors: ['SHARE_NOT_FOUND', 'TASK_NOT_FOUND', ...RESULT_ERRORS],
}

const watchShared: Operation = {
  id: 'watchShared',
  need: 'open',
  tag: 'tasks',
  summary: "A shared task's changes as they happen",
  description: `Server-Sent Events, as those of \`GET /task/{id}/events\`. ${LINK}`,
  path: ofLink,
  headers: RESUME,
  answers: {
    200: EVENTS,
    204: { description: 'The task has ended, and the caller has seen its end.' },
  },
  errors: ['SHARE_NOT_FOUND', 'TASK_NOT_FOUND', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

export const shareRoutes =
  (streams: Streams) =>
  ({ service, access, log }: ApiDeps): Hono<ApiEnv> => {
    const write = createEventWriter(showTask)
    return new Hono<ApiEnv>()
      .post('/task/:id/share', describe(shareTask), async c => {
        const actor = c.get('actor')
        const { id } = await service.getToChange(actor, c.req.param('id'))
        const { seconds } = await readBodyAs(c, shareWanted)
        const made = await access.share(actor, id, seconds)
        const link = `/shared/${made.token}`
        c.header('Location', link)
        return sendJson(c, { ...made, link }, 201)
      })
      .get('/task/:id/shares', describe(listShares), async c => {
        const actor = c.get('actor')
        const { id } = await service.getToChange(actor, c.req.param('id'))
        return sendJson(c, { shares: await access.shares(actor, id) })
      })
      .delete('/task/:id/share/:share', describe(withdrawShare), async c => {
        const actor = c.get('actor')
        const { id } = await service.getToChange(actor, c.req.param('id'))
        await access.withdrawShare(actor, id, c.req.param('share'))
        return c.body(null, 204)
      })
      .get('/shared/:token', describe(getShared), async c => {
        const { task: id, actor } = await access.openShare(c.req.param('token'))
        const task = await service.get(actor, id)
        c.header('ETag', etagOf(task))
        if (matchesEtag(c.req.header('if-none-match'), etagOf(task))) return c.body(null, 304)
        return sendJson(c, showTask(task))
      })
      .get('/shared/:token/result', describe(getSharedResult), async c => {
        const { task: id, actor } = await access.openShare(c.req.param('token'))
        const task = await service.get(actor, id)
        return sendContent(c, await service.result(actor, id), etagOf(task), log)
      })
      .get('/shared/:token/events', describe(watchShared), async c => {
        const { task: id, actor } = await access.openShare(c.req.param('token'))
        const since = resumeAt(c, undefined)
        const task = await service.get(actor, id)
        if (isFinal(task.status) && versionOf(task) === since) return c.body(null, 204)
        if (c.req.method === 'HEAD') return c.body(null, 200, STREAM_HEADERS)
        const stream = streams.open(c.req.raw.signal, clientKeyIn(c), access.watch(actor))
        const body = streams.body({
          stream,
          events: service.watchTask(actor, id, since, stream.signal),
          write,
          ended: last => (last?.type === 'removed' ? 'removed' : 'final'),
          log,
          requestId: c.get('requestId'),
        })
        return c.body(body, 200, STREAM_HEADERS)
      })
  }
