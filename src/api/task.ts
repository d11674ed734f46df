// One task: its record, its result, its log; cancel, purge and retry.
import { Hono } from 'hono'
import { MadhavaError } from '../core/errors.ts'
import type { TaskRecord } from '../core/task.ts'
import { sendContent } from './content.ts'
import type { ApiContext, ApiDeps, ApiEnv } from './context.ts'
import { etagOf, matchesEtag } from './etag.ts'
import { sendJson } from './json.ts'
import { parseQuery, single } from './query.ts'

/** 202 with the record and where to find it. */
export const sendAccepted = (c: ApiContext, task: TaskRecord): Response => {
  c.header('Location', `/task/${task.id}`)
  return sendJson(c, task, 202)
}

/** @throws BAD_REQUEST */
const wantsPurge = (url: string): boolean => {
  const value = single(parseQuery(url, { once: ['purge'] }), 'purge')
  if (value === undefined || value === '0') return false
  if (value === '1') return true
  throw new MadhavaError('BAD_REQUEST', 'The query is malformed: purge: must be 1 or 0')
}

export const taskRoutes = ({ service, log }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/task/:id', async c => {
      if (single(parseQuery(c.req.url, { once: ['wait'] }), 'wait') !== undefined)
        throw new MadhavaError(
          'NOT_IMPLEMENTED',
          'Waiting for a change is not part of this version: ask again',
        )
      const task = await service.get(c.get('actor'), c.req.param('id'))
      const etag = etagOf(task)
      c.header('ETag', etag)
      if (matchesEtag(c.req.header('if-none-match'), etag)) return c.body(null, 304)
      return sendJson(c, task)
    })
    .delete('/task/:id', async c => {
      const [actor, id] = [c.get('actor'), c.req.param('id')]
      if (wantsPurge(c.req.url)) {
        await service.purge(actor, id)
        return c.body(null, 204)
      }
      const { outcome, task } = await service.cancel(actor, id)
      return sendJson(c, { outcome, task }, outcome === 'revoked' ? 200 : 202)
    })
    .get('/task/:id/result', async c => {
      const [actor, id] = [c.get('actor'), c.req.param('id')]
      const task = await service.get(actor, id)
      return sendContent(c, await service.result(actor, id), etagOf(task), log)
    })
    .get('/task/:id/log', async c => {
      return sendContent(c, await service.log(c.get('actor'), c.req.param('id')), null, log)
    })
    .post('/task/:id/retry', async c => {
      return sendAccepted(c, await service.retry(c.get('actor'), c.req.param('id')))
    })
