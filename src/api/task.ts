// One task: its record, its result, its log; cancel, purge and retry.
import { Hono } from 'hono'
import { type TaskRecord, versionOf } from '../core/task.ts'
import { sendContent } from './content.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, ownerIn } from './context.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { sendJson } from './json.ts'
import { describe } from './operation.ts'
import { pollAfter } from './poll-after.ts'
import type { Streams } from './streams.ts'
import {
  cancelTask,
  getLog,
  getResult,
  getTask,
  purgeQuery,
  retryTask,
  waitQuery,
} from './task-operations.ts'

/** Says when asking again about a task is worth it, while it has not ended. */
const sayWhen = (c: ApiContext, task: TaskRecord, now: Date): void => {
  const seconds = pollAfter(task, now)
  if (seconds !== null) c.header('Retry-After', String(seconds))
}

/** 202 with the record and where to find it. */
export const sendAccepted = (c: ApiContext, task: TaskRecord, now: Date): Response => {
  c.header('Location', `/task/${task.id}`)
  sayWhen(c, task, now)
  return sendJson(c, task, 202)
}

export const taskRoutes =
  (streams: Streams) =>
  ({ service, log, clock }: ApiDeps): Hono<ApiEnv> => {
    /** The task when it has changed; null: it has not for so many seconds. */
    const changed = async (c: ApiContext, task: TaskRecord, seconds: number): Promise<TaskRecord | null> => {
      if (seconds === 0) return null
      const place = streams.open(c.req.raw.signal, ownerIn(c))
      try {
        const [actor, known] = [c.get('actor'), versionOf(task)]
        const answer = await service.wait(actor, task.id, known, seconds * 1000, place.signal)
        return answer.changed ? answer.task : null
      } finally {
        place.close()
      }
    }

    return new Hono<ApiEnv>()
      .get('/task/:id', describe(getTask), async c => {
        const { wait = 0 } = waitQuery.read(c.req.url)
        const task = await service.get(c.get('actor'), c.req.param('id'))
        const isKnown = matchesEtag(c.req.header('if-none-match'), etagOf(task))
        const news = isKnown ? await changed(c, task, wait) : task
        c.header('ETag', etagOf(news ?? task))
        if (!news) return c.body(null, 304)
        sayWhen(c, news, clock())
        return sendJson(c, news)
      })
      .delete('/task/:id', describe(cancelTask), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        if (purgeQuery.read(c.req.url).purge) {
          await service.purge(actor, id)
          return c.body(null, 204)
        }
        const { outcome, task } = await service.cancel(actor, id)
        return sendJson(c, { outcome, task }, outcome === 'revoked' ? 200 : 202)
      })
      .get('/task/:id/result', describe(getResult), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        const task = await service.get(actor, id)
        sayWhen(c, task, clock())
        return sendContent(c, await service.result(actor, id), etagOf(task), log)
      })
      .get('/task/:id/log', describe(getLog), async c => {
        return sendContent(c, await service.log(c.get('actor'), c.req.param('id')), null, log)
      })
      .post('/task/:id/retry', describe(retryTask), async c => {
        return sendAccepted(c, await service.retry(c.get('actor'), c.req.param('id')), clock())
      })
  }
