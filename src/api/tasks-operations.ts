// What the routes of many tasks say about themselves.
import { SUBMIT_MANY_LIMIT } from '../core/submission.ts'
import { NDJSON_TYPE } from './all-tasks.ts'
import { filterQuery, pageQuery } from './list-query.ts'
import type { Operation } from './operation.ts'
import { submissions, submitted, taskPage, taskView, taskViews } from './schemas.ts'

const JSON_TYPE = 'application/json'

export const submitTask: Operation = {
  id: 'submitTask',
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
    'OVERLOADED',
  ],
}

export const listTasks: Operation = {
  id: 'listTasks',
  tag: 'lists',
  summary: 'Tasks by pages, newest first',
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

export const allTasks: Operation = {
  id: 'allTasks',
  tag: 'lists',
  summary: 'All tasks as one array, newest first',
  description: `Streamed in constant memory, however many there are. With \`Accept: ${NDJSON_TYPE}\` a line per task instead.`,
  query: filterQuery,
  headers: { Accept: `${NDJSON_TYPE}: a line per task` },
  answers: {
    200: {
      description: 'The array; or lines, of which each is a TaskView.',
      content: { [JSON_TYPE]: taskViews, [NDJSON_TYPE]: taskView },
    },
  },
}
