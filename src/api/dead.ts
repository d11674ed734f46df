// What cannot be run: the list with the reasons, and what becomes of each.
import { Hono } from 'hono'
import { PAGE_LIMIT } from '../core/list-bounds.ts'
import { viewTask } from '../core/task-view.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { discardDead, listDead, replayDead } from './dead-operations.ts'
import { listText, sendJson, sendJsonText } from './json.ts'
import { plainPageQuery } from './list-query.ts'
import { describe } from './operation.ts'
import { sendAccepted } from './task.ts'

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
