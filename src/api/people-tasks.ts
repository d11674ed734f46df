// Tasks that people do, which is the shared list: one is created in short form, changed, and completed. docs/todo.md.
import { Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import { completionSchema, editSchema, newItemSchema, parseNewItem } from '../core/people.ts'
import { STATUSES } from '../core/task.ts'
import { showTask } from '../core/task-view.ts'
import type { ApiContext, ApiDeps, ApiEnv } from './context.ts'
import { JSON_TYPE, readJson, sendJson } from './json.ts'
import { input, output } from './named-schemas.ts'
import { type Answer, describe, type Operation } from './operation.ts'
import { RATE_LIMIT_HEADERS, sayQuotas } from './rate-limit.ts'
import { etagOf, versionsIn } from './request-headers.ts'
import { task } from './schemas.ts'
import { UNKNOWN } from './task.ts'

const newItem = input('NewItem', newItemSchema)
const taskEdit = input('TaskEdit', editSchema)
const completion = input('Completion', completionSchema)
const item = output(
  'Item',
  z.object({
    id: z.uuid(),
    title: z.string(),
    description: z.string().nullable(),
    status: z.enum(STATUSES),
  }),
)

const createItem: Operation = {
  id: 'createItem',
  need: 'submit',
  audit: 'task.submit',
  tag: 'people',
  summary: 'Put something on the shared list',
  description:
    'The short form of `POST /tasks` with the kind `manual`. It is open until somebody completes it; no worker takes it, and it never expires.',
  headers: {
    'Idempotency-Key':
      '1 to 255 visible ASCII characters: the same key with the same body answers the first task again',
  },
  body: { content: { [JSON_TYPE]: newItem }, example: { title: 'Water the plants', assignee: 'alice' } },
  answers: {
    201: {
      description: 'It is durable, and everybody who may see it does.',
      headers: {
        Location: 'address of the task',
        ETag: 'version of the task',
        ...RATE_LIMIT_HEADERS,
        'Idempotent-Replayed?': '`true` when the key had been used: nothing new was made',
      },
      content: { [JSON_TYPE]: item },
    },
  },
  errors: [
    'BAD_KEY',
    'KIND_UNKNOWN',
    'KIND_IN_TROUBLE',
    'PARAMS_INVALID',
    'IDEMPOTENCY_MISMATCH',
    'STORE_FULL',
    'QUOTA_EXCEEDED',
    'OVERLOADED',
  ],
}

const WRITTEN: Answer = {
  description: 'The record as it is now.',
  headers: { ETag: 'version of the task' },
  content: { [JSON_TYPE]: task },
}
const PRESENT = 'VERSION_CHANGED says the present ETag, in its header too.'

const editTask: Operation = {
  id: 'editTask',
  need: 'submit',
  audit: 'task.edit',
  tag: 'people',
  summary: 'Change the texts of an open task that people do',
  description: `What is left out stays. ${PRESENT}`,
  headers: { 'If-Match': 'ETags of the versions that the change is meant for; `*`: any' },
  body: { content: { [JSON_TYPE]: taskEdit }, example: { title: 'Water the plants upstairs' } },
  answers: { 200: WRITTEN },
  errors: [
    ...UNKNOWN,
    'NOT_FOR_PEOPLE',
    'TASK_ENDED',
    'VERSION_CHANGED',
    'VERSION_MISSING',
    'PARAMS_INVALID',
    'KIND_UNKNOWN',
    'KIND_IN_TROUBLE',
    'TASK_BUSY',
    'STORE_FULL',
    'OVERLOADED',
  ],
}

const completeTask: Operation = {
  id: 'completeTask',
  need: 'submit',
  audit: 'task.complete',
  tag: 'people',
  summary: 'Complete a task that people do',
  description: `It is SUCCESS then, with who did it and their note as its result. Of several at once exactly one completes it; TASK_ENDED tells the others who. ${PRESENT}`,
  headers: { 'If-Match': 'ETags of the versions that are meant; left out or `*`: any' },
  body: { content: { [JSON_TYPE]: completion }, example: { note: 'Both of them' }, optional: true },
  answers: { 200: WRITTEN },
  errors: [
    ...UNKNOWN,
    'NOT_FOR_PEOPLE',
    'TASK_ENDED',
    'VERSION_CHANGED',
    'TASK_BUSY',
    'STORE_FULL',
    'OVERLOADED',
  ],
}

const hasBody = (c: ApiContext): boolean =>
  c.req.header('content-type') !== undefined ||
  c.req.header('transfer-encoding') !== undefined ||
  Number(c.req.header('content-length') ?? 0) > 0

export const peopleTaskRoutes = ({ service }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .post('/create_task', describe(createItem), async c => {
      const wanted = parseNewItem(await readJson(c))
      const made = await service.submit(c.get('actor'), wanted, c.req.header('idempotency-key'))
      const { id, title, description, status } = made.task
      if (!made.created) c.header('Idempotent-Replayed', 'true')
      sayQuotas(c, made.quotas)
      c.header('Location', `/task/${id}`)
      c.header('ETag', etagOf(made.task))
      return sendJson(c, { id, title, description, status }, 201)
    })
    .patch('/task/:id', describe(editTask), async c => {
      const match = c.req.header('if-match')
      if (match === undefined)
        throw new MadhavaError(
          'VERSION_MISSING',
          'Send If-Match with the ETag of the task as you know it: somebody else may have changed it since',
        )
      const change = await readJson(c)
      const edited = await service.edit(c.get('actor'), c.req.param('id'), change, versionsIn(match))
      c.header('ETag', etagOf(edited))
      return sendJson(c, showTask(edited))
    })
    .post('/task/:id/complete', describe(completeTask), async c => {
      const given = hasBody(c) ? await readJson(c) : {}
      const match = c.req.header('if-match')
      const known = match === undefined ? null : versionsIn(match)
      const done = await service.complete(c.get('actor'), c.req.param('id'), given, known)
      c.header('ETag', etagOf(done))
      return sendJson(c, showTask(done))
    })
