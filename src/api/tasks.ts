// POST /tasks, and the two lists: GET /tasks by pages, GET /alltasks as one stream.
import { Hono } from 'hono'
import { viewTask } from '../core/task-view.ts'
import { prefers } from './accept.ts'
import { allTasksText, NDJSON_TYPE } from './all-tasks.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { listText, readJson, sendJsonText } from './json.ts'
import { parseFilter, parsePage } from './list-query.ts'
import { describe } from './operation.ts'
import { streamOf } from './stream.ts'
import { sendAccepted } from './task.ts'
import { allTasks, listTasks, submitTask } from './tasks-operations.ts'

const JSON_TYPE = 'application/json'

/** The links of RFC 8288 of a page: the first one, and the next where there is one. */
const linksOf = (url: string, next: string | null): string => {
  const link = (cursor: string | null, rel: string): string => {
    const { pathname, searchParams } = new URL(url)
    searchParams.delete('cursor')
    if (cursor !== null) searchParams.set('cursor', cursor)
    return `<${pathname}${searchParams.size > 0 ? `?${searchParams}` : ''}>; rel="${rel}"`
  }
  return [link(null, 'first'), ...(next === null ? [] : [link(next, 'next')])].join(', ')
}

export const tasksRoutes = ({ service, log, clock }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/tasks', describe(submitTask), async c => {
      const [actor, key] = [c.get('actor'), c.req.header('idempotency-key')]
      const submitted = await readJson(c)
      const made = Array.isArray(submitted)
        ? await service.submitMany(actor, submitted, key)
        : [await service.submit(actor, submitted, key)]
      if (made.every(({ created }) => !created)) c.header('Idempotent-Replayed', 'true')
      const [first] = made
      if (Array.isArray(submitted) || !first)
        return sendJsonText(c, await listText(made.map(({ task }) => task)), 202)
      return sendAccepted(c, first.task, clock())
    })
    .get('/tasks', describe(listTasks), async c => {
      const { filter, ...page } = parsePage(c.req.url)
      const { tasks, next } = await service.list(c.get('actor'), filter, page)
      c.header('Link', linksOf(c.req.url, next))
      const listed = await listText(tasks.map(viewTask))
      return sendJsonText(c, `{"tasks":${listed},"next":${JSON.stringify(next)}}`)
    })
    .get('/alltasks', describe(allTasks), async c => {
      const filter = parseFilter(c.req.url)
      const lines = prefers(c.req.header('accept'), NDJSON_TYPE, JSON_TYPE)
      c.header('Vary', 'Accept', { append: true })
      const headers = { 'Content-Type': lines ? NDJSON_TYPE : JSON_TYPE }
      if (c.req.method === 'HEAD') return c.body(null, 200, headers)
      const chunks = allTasksText(service, c.get('actor'), filter, lines)
      return c.body(await streamOf(chunks, log, c.get('requestId')), 200, headers)
    })
