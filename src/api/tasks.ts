// POST /tasks, and the two lists: GET /tasks by pages, GET /alltasks as one stream.
import { Hono } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import type { Actor, Service } from '../core/service.ts'
import type { TaskFilter } from '../core/store.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { readJson, sendJson } from './json.ts'
import { parseFilter, parsePage } from './query.ts'
import { streamOf } from './stream.ts'
import { sendAccepted } from './task.ts'
import { viewTask } from './task-view.ts'

/** Tasks read at a time for GET /alltasks, and the characters after which they are sent on. */
const STREAM_PAGE = 200
const STREAM_CHUNK = 64 * 1024

/** All that fit as one JSON array, a page in memory at a time. */
const allTasks = async function* (
  service: Service,
  actor: Actor,
  filter: TaskFilter,
): AsyncGenerator<Uint8Array> {
  let text = '['
  let first = true
  let cursor: string | null = null
  do {
    const page = await service.list(actor, filter, { limit: STREAM_PAGE, cursor })
    for (const task of page.tasks) {
      text += `${first ? '\n' : ',\n'}${JSON.stringify(viewTask(task))}`
      first = false
      if (text.length < STREAM_CHUNK) continue
      yield Buffer.from(text)
      text = ''
    }
    cursor = page.next
  } while (cursor !== null)
  yield Buffer.from(`${text}\n]\n`)
}

export const tasksRoutes = ({ service, log }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/tasks', async c => {
      const submission = await readJson(c)
      if (Array.isArray(submission))
        throw new MadhavaError(
          'NOT_IMPLEMENTED',
          'Several tasks in one request are not part of this version: send one object for each',
        )
      const { task } = await service.submit(c.get('actor'), submission, c.req.header('idempotency-key'))
      return sendAccepted(c, task)
    })
    .get('/tasks', async c => {
      const { filter, ...page } = parsePage(c.req.url)
      const { tasks, next } = await service.list(c.get('actor'), filter, page)
      return sendJson(c, { tasks: tasks.map(viewTask), next })
    })
    .get('/alltasks', async c => {
      const filter = parseFilter(c.req.url)
      const headers = { 'Content-Type': 'application/json' }
      if (c.req.method === 'HEAD') return c.body(null, 200, headers)
      const chunks = allTasks(service, c.get('actor'), filter)
      return c.body(await streamOf(chunks, log, c.get('requestId')), 200, headers)
    })
