// One task: its record and its result; cancel, purge and retry. Its log is in api/task-log.ts.
import { Hono } from 'hono'
import { z } from 'zod'
import { type DueFields, dueOf } from '../core/due.ts'
import { isFinal, isRunning, type TaskRecord, versionOf } from '../core/task.ts'
import { showTask } from '../core/task-view.ts'
import { sendContent } from './content.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, clientKeyIn, watchLogin } from './context.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { type Answer, describe, type Operation } from './operation.ts'
import { defineQuery, switchParameter } from './query.ts'
import { etagOf, matchesEtag } from './request-headers.ts'
import { cancellation, jsonSchema, task } from './schemas.ts'
import type { Streams } from './streams.ts'
import { waiting } from './waiting-schema.ts'

const TEXT = 'text/plain'

/** 202 of whatever makes a task. */
export const accepted: Answer = {
  description: 'The task is durable; it runs when a worker takes it.',
  headers: { Location: 'address of the task', 'Retry-After?': 'seconds until asking is worth it' },
  content: { [JSON_TYPE]: task },
}
const ETAG = { ETag: 'version of the task' }
const POLL = { 'Retry-After?': 'while it has not ended: seconds until asking again is worth it' }
export const UNKNOWN = ['BAD_ID', 'TASK_NOT_FOUND'] as const

/** The longest that a long poll waits, seconds: proxies and servers end what is silent for longer. */
const WAIT_MAX_SECONDS = 60
const WAIT = `must be a number of seconds, 0 to ${WAIT_MAX_SECONDS}`
const waitQuery = defineQuery({
  wait: z
    .string()
    .regex(/^\d{1,2}(\.\d{1,3})?$/, WAIT)
    .transform(Number)
    .refine(seconds => seconds <= WAIT_MAX_SECONDS, WAIT)
    .optional()
    .describe(
      `with If-None-Match: answer as soon as the task differs, or with 304 after so many seconds, 0 to ${WAIT_MAX_SECONDS}`,
    ),
})
const getTask: Operation = {
  id: 'getTask',
  need: 'read',
  tag: 'tasks',
  summary: 'The record of a task',
  description: 'With `wait` and `If-None-Match` it is a long poll.',
  query: waitQuery,
  headers: { 'If-None-Match': 'ETags that are known: 304 when the task has not changed' },
  answers: {
    200: { description: 'The record.', headers: { ...ETAG, ...POLL }, content: { [JSON_TYPE]: task } },
    304: { description: 'Not changed.', headers: ETAG },
  },
  errors: [...UNKNOWN, 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

const purgeQuery = defineQuery({
  purge: switchParameter().describe(
    '1: remove an ended task, all of it, instead; or an open one that people do',
  ),
})
const cancelTask: Operation = {
  id: 'cancelTask',
  need: 'submit',
  audit: 'task.cancel',
  tag: 'tasks',
  summary: 'Cancel a task, or remove an ended one',
  query: purgeQuery,
  answers: {
    200: { description: 'It is REVOKED now.', content: { [JSON_TYPE]: cancellation } },
    202: {
      description: 'A worker runs it and is told to stop it; the request is durable.',
      content: { [JSON_TYPE]: cancellation },
    },
    204: { description: 'Removed (`purge=1`).' },
  },
  errors: [...UNKNOWN, 'TASK_ENDED', 'TASK_NOT_ENDED'],
}

export const RANGES = {
  Range: 'a range of bytes',
  'If-Range': 'serve the range only while this ETag is the current one',
}
export const PART = { 'Content-Range': 'which bytes, and of how many', 'Accept-Ranges': 'bytes' }

/** Of a result, whoever asks. */
export const RESULT_ANSWERS: Operation['answers'] = {
  200: {
    description: 'The result.',
    headers: { ...ETAG, 'Accept-Ranges': 'bytes' },
    content: { [TEXT]: null, [JSON_TYPE]: jsonSchema },
  },
  206: {
    description: 'The range that was asked for.',
    headers: { ...ETAG, ...PART },
    content: { [TEXT]: null, [JSON_TYPE]: null },
  },
  304: { description: 'Not changed.', headers: ETAG },
}
export const RESULT_ERRORS = ['TASK_NOT_ENDED', 'RESULT_NOT_FOUND', 'RANGE_NOT_SATISFIABLE'] as const

const getResult: Operation = {
  id: 'getResult',
  need: 'read',
  tag: 'tasks',
  summary: 'The whole result of a task in SUCCESS',
  description: 'A result that is a text comes as text, any other as JSON.',
  headers: { ...RANGES, 'If-None-Match': 'ETags that are known: 304 when the task has not changed' },
  answers: RESULT_ANSWERS,
  errors: [...UNKNOWN, ...RESULT_ERRORS],
}

const whyTask: Operation = {
  id: 'whyTask',
  need: 'read',
  tag: 'tasks',
  summary: 'Why a task waits',
  description:
    'Decided anew at each call, from the record, the workers that live, and what comes before the task.',
  answers: { 200: { description: 'The first reason that holds.', content: { [JSON_TYPE]: waiting } } },
  errors: [...UNKNOWN, 'TASK_NOT_WAITING'],
}

const retryTask: Operation = {
  id: 'retryTask',
  need: 'submit',
  audit: 'task.retry',
  tag: 'tasks',
  summary: 'Run an ended task again',
  answers: { 202: accepted },
  errors: [...UNKNOWN, 'TASK_NOT_ENDED', 'TASK_BUSY', 'QUOTA_EXCEEDED', 'STORE_FULL'],
}

const LONGEST_SECONDS = 60

/**
 * Seconds for Retry-After, 1 to 60; null for a task that has ended. Until a waiting task is due; what a running one
 * foretells; else the longer, the longer nothing has moved.
 */
export const pollAfter = (
  task: DueFields & Pick<TaskRecord, 'updatedAt' | 'progress'>,
  now: Date,
): number | null => {
  if (isFinal(task.status)) return null
  const since = (time: string) => (now.getTime() - Date.parse(time)) / 1000
  const from = dueOf(task)?.from ?? null
  const ahead = from === null ? 0 : -since(from)
  const foretold = isRunning(task.status) ? (task.progress?.etaSeconds ?? 0) : 0
  const seconds = Math.max(ahead, foretold > 0 ? foretold : since(task.updatedAt) / 10)
  return Math.min(LONGEST_SECONDS, Math.max(1, Math.ceil(seconds)))
}

/** Says when asking again about a task is worth it, while it has not ended. */
const sayWhen = (c: ApiContext, task: TaskRecord, now: Date): void => {
  const seconds = pollAfter(task, now)
  if (seconds !== null) c.header('Retry-After', String(seconds))
}

/** 202 with the record and where to find it. */
export const sendAccepted = (c: ApiContext, task: TaskRecord, now: Date): Response => {
  c.header('Location', `/task/${task.id}`)
  sayWhen(c, task, now)
  return sendJson(c, showTask(task), 202)
}

export const taskRoutes =
  (streams: Streams) =>
  ({ service, access, log, clock }: ApiDeps): Hono<ApiEnv> => {
    /** The task when it has changed; null: it has not for so many seconds. */
    const changed = async (c: ApiContext, task: TaskRecord, seconds: number): Promise<TaskRecord | null> => {
      if (seconds === 0) return null
      const [actor, known] = [c.get('actor'), versionOf(task)]
      const poll = streams.open(c.req.raw.signal, clientKeyIn(c), watchLogin(c, access))
      try {
        const answer = await service.wait(actor, task.id, known, seconds * 1000, poll.signal)
        poll.demandLogin()
        return answer.changed ? answer.task : null
      } finally {
        poll.close()
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
        return sendJson(c, showTask(news))
      })
      .delete('/task/:id', describe(cancelTask), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        if (purgeQuery.read(c.req.url).purge) {
          await service.purge(actor, id)
          return c.body(null, 204)
        }
        const { outcome, task } = await service.cancel(actor, id)
        return sendJson(c, { outcome, task: showTask(task) }, outcome === 'revoked' ? 200 : 202)
      })
      .get('/task/:id/result', describe(getResult), async c => {
        const [actor, id] = [c.get('actor'), c.req.param('id')]
        const task = await service.get(actor, id)
        sayWhen(c, task, clock())
        return sendContent(c, await service.result(actor, id), etagOf(task), log)
      })
      .get('/task/:id/why', describe(whyTask), async c =>
        sendJson(c, await service.why(c.get('actor'), c.req.param('id'))),
      )
      .post('/task/:id/retry', describe(retryTask), async c => {
        return sendAccepted(c, await service.retry(c.get('actor'), c.req.param('id')), clock())
      })
  }
