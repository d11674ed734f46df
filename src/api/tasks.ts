// POST /tasks, and the two lists: GET /tasks by pages, GET /alltasks as one stream.
import { Hono } from 'hono'
import { SUBMIT_MANY_LIMIT } from '../core/submission.ts'
import { showTask } from '../core/task-view.ts'
import { allTasksText, NDJSON_TYPE, viewTasks } from './all-tasks.ts'
import { type ApiDeps, type ApiEnv, watchLogin } from './context.ts'
import { JSON_TYPE, listText, readJson, sendJsonText } from './json.ts'
import { allQuery, pageQuery, parseAll, parsePage } from './list-query.ts'
import { describe, type Operation } from './operation.ts'
import { withOwnerId } from './owner-names.ts'
import { RATE_LIMIT_HEADERS, sayQuotas } from './rate-limit.ts'
import { prefers } from './request-headers.ts'
import { submissions, submitted, taskPage, taskView, taskViews } from './schemas.ts'
import { streamOf } from './streamed-body.ts'
import { sendAccepted } from './task.ts'

const submitTask: Operation = {
  id: 'submitTask',
  need: 'submit',
  audit: 'task.submit',
  tag: 'tasks',
  summary: 'Submit a task, or many',
  description: `An array submits up to ${SUBMIT_MANY_LIMIT} tasks, in their order: all of them, or none where one cannot be accepted. A key holds for the whole array; a call that breaks off in the middle goes on with the same key and array.`,
  headers: {
    'Idempotency-Key':
      '1 to 255 visible ASCII characters: the same key with the same body answers the first task again',
  },
  body: {
    content: { [JSON_TYPE]: submissions },
    example: { kind: 'calcpi', params: { digits: 50 }, title: 'Fifty digits' },
  },
  answers: {
    202: {
      description: 'The task is durable, and runs when a worker takes it; of many, all are.',
      headers: {
        'Location?': 'address of the task, of one',
        'Retry-After?': 'seconds until asking about it is worth it, of one',
        ...RATE_LIMIT_HEADERS,
        'Idempotent-Replayed?': '`true` when the key had been used: nothing new was made',
      },
      content: { [JSON_TYPE]: submitted },
    },
  },
  errors: [
    'BAD_KEY',
    'KIND_UNKNOWN',
    'KIND_IN_TROUBLE',
    'PARAMS_INVALID',
    'IDEMPOTENCY_MISMATCH',
    'STORE_FULL',
    'TOO_MANY_WAITING',
    'QUOTA_EXCEEDED',
    'OVERLOADED',
  ],
}

const listTasks: Operation = {
  id: 'listTasks',
  need: 'read',
  tag: 'lists',
  summary: 'Tasks by pages, newest first or as `sort` says',
  query: pageQuery,
  answers: {
    200: {
      description: 'A page.',
      headers: { Link: 'the first and the next page (RFC 8288)' },
      content: { [JSON_TYPE]: taskPage },
    },
  },
  errors: ['BAD_CURSOR'],
}

const allTasks: Operation = {
  id: 'allTasks',
  need: 'read',
  tag: 'lists',
  summary: 'All tasks as one array, newest first or as `sort` says',
  description: `Streamed in constant memory, however many there are. With \`Accept: ${NDJSON_TYPE}\` a line per task instead.`,
  query: allQuery,
  headers: { Accept: `${NDJSON_TYPE}: a line per task` },
  answers: {
    200: {
      description: 'The array; or lines, of which each is a TaskView.',
      content: { [JSON_TYPE]: taskViews, [NDJSON_TYPE]: taskView },
    },
  },
}

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

export const tasksRoutes = ({ service, access, log, clock }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/tasks', describe(submitTask), async c => {
      const [actor, key] = [c.get('actor'), c.req.header('idempotency-key')]
      const submitted = await readJson(c)
      const made = Array.isArray(submitted)
        ? await service.submitMany(actor, submitted, key)
        : [await service.submit(actor, submitted, key)]
      if (made.every(({ created }) => !created)) c.header('Idempotent-Replayed', 'true')
      const [first] = made
      sayQuotas(c, first?.quotas ?? [])
      if (Array.isArray(submitted) || !first)
        return sendJsonText(c, await listText(made.map(({ task }) => showTask(task))), 202)
      return sendAccepted(c, first.task, clock())
    })
    .get('/tasks', describe(listTasks), async c => {
      const { filter, why, ...page } = parsePage(c.req.url)
      const wanted = await withOwnerId(access, filter)
      const { tasks, next } = await service.list(c.get('actor'), wanted, page)
      const reasons = why ? await service.whyEach(c.get('actor'), tasks) : null
      c.header('Link', linksOf(c.req.url, next))
      const listed = await listText(await viewTasks(access, tasks, reasons))
      return sendJsonText(c, `{"tasks":${listed},"next":${JSON.stringify(next)}}`)
    })
    .get('/alltasks', describe(allTasks), async c => {
      const { filter, sort, why } = parseAll(c.req.url)
      const wanted = await withOwnerId(access, filter)
      const actor = c.get('actor')
      const lines = prefers(c.req.header('accept'), NDJSON_TYPE, JSON_TYPE)
      c.header('Vary', 'Accept', { append: true })
      const headers = { 'Content-Type': lines ? NDJSON_TYPE : JSON_TYPE }
      if (c.req.method === 'HEAD') return c.body(null, 200, headers)
      const chunks = allTasksText({ service, access }, actor, wanted, {
        lines,
        sort,
        why,
        login: watchLogin(c, access),
      })
      return c.body(await streamOf(chunks, log, c.get('requestId')), 200, headers)
    })
