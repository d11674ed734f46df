// What the routes of tasks and messages that cannot be run say about themselves.
import { z } from 'zod'
import { plainPageQuery } from './list-query.ts'
import type { Operation } from './operation.ts'
import { deadPage, replayed } from './schemas.ts'

const JSON_TYPE = 'application/json'
const path = { id: z.uuid().describe('of a task or of a message, as GET /dead shows it') }
const UNKNOWN = ['BAD_ID', 'DEAD_NOT_FOUND', 'TASK_BUSY', 'QUEUE_UNAVAILABLE'] as const

export const listDead: Operation = {
  id: 'listDead',
  tag: 'dead',
  summary: 'Tasks and messages that cannot be run, with the reason',
  query: plainPageQuery,
  answers: { 200: { description: 'A page.', content: { [JSON_TYPE]: deadPage } } },
  errors: ['BAD_CURSOR'],
}

export const replayDead: Operation = {
  id: 'replayDead',
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

export const discardDead: Operation = {
  id: 'discardDead',
  tag: 'dead',
  summary: 'Remove one of them, all of it',
  path,
  answers: { 204: { description: 'Removed.' } },
  errors: UNKNOWN,
}
