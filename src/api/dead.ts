// What cannot be run: the list with the reasons, and what becomes of each.
import { Hono } from 'hono'
import { z } from 'zod'
import { PAGE_LIMIT } from '../core/filter.ts'
import { viewTask } from '../core/task-view.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, listText, sendJson, sendJsonText } from './json.ts'
import { plainPageQuery } from './list-query.ts'
import { describe, type Operation } from './operation.ts'
import { deadPage, replayed } from './schemas.ts'
import { sendAccepted } from './task.ts'

const path = { id: z.uuid().describe('of a task or of a message, as GET /dead shows it') }
const UNKNOWN = ['BAD_ID', 'DEAD_NOT_FOUND', 'TASK_BUSY', 'QUEUE_UNAVAILABLE'] as const

const listDead: Operation = {
  id: 'listDead',
  need: 'read',
  tag: 'dead',
  summary: 'Tasks and messages that cannot be run, with the reason',
  query: plainPageQuery,
  answers: { 200: { description: 'A page.', content: { [JSON_TYPE]: deadPage } } },
  errors: ['BAD_CURSOR'],
}

const replayDead: Operation = {
  id: 'replayDead',
  need: 'submit',
  audit: 'dead.replay',
  tag: 'dead',
  summary: 'Run one of them again',
  description:
    'A task that has ended is PENDING again, its attempts anew; a message goes back into the queue. A task that waits ' +
    'for a worker with its kind runs by itself when one comes: 409.',
  path,
  answers: {
    202: {
      description: 'The task, or the id of the message.',
      headers: { 'Location?': 'address of the task' },
      content: { [JSON_TYPE]: replayed },
    },
  },
  errors: [...UNKNOWN, 'TASK_NOT_ENDED'],
}

const discardDead: Operation = {
  id: 'discardDead',
  need: 'submit',
  audit: 'dead.discard',
  tag: 'dead',
  summary: 'Remove one of them, all of it',
  path,
  answers: { 204: { description: 'Removed.' } },
  errors: UNKNOWN,
}

export const deadRoutes = ({ service, clock }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/dead', describe(listDead), async c => {
      const { limit = PAGE_LIMIT.default, cursor = null } = plainPageQuery.read(c.req.url)
      const { tasks, ...page } = await service.dead(c.get('actor'), { limit, cursor })
      const listed = await listText(tasks.map(({ task, reason }) => ({ task: viewTask(task), reason })))
      return sendJsonText(c, `{"tasks":${listed},${JSON.stringify(page).slice(1)}`)
    })
    .post('/dead/:id/replay', describe(replayDead), async c => {
      const replayed = await service.replayDead(c.get('actor'), c.req.param('id'))
      return 'task' in replayed ? sendAccepted(c, replayed.task, clock()) : sendJson(c, replayed, 202)
    })
    .delete('/dead/:id', describe(discardDead), async c => {
      await service.discardDead(c.get('actor'), c.req.param('id'))
      return c.body(null, 204)
    })
