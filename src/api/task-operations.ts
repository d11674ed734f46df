// What the routes of one task say about themselves.
import { z } from 'zod'
import { boundedText } from '../core/list-bounds.ts'
import type { Answer, Operation } from './operation.ts'
import { defineQuery, switchParameter } from './query.ts'
import { cancellation, jsonSchema, task } from './schemas.ts'

const JSON_TYPE = 'application/json'
const TEXT = 'text/plain'

/** 202 of whatever makes a task. */
export const accepted: Answer = {
  description: 'The task is durable; it runs when a worker takes it.',
  headers: { Location: 'address of the task', 'Retry-After?': 'seconds until asking is worth it' },
  content: { [JSON_TYPE]: task },
}
const ETAG = { ETag: 'version of the task' }
const POLL = { 'Retry-After?': 'while it has not ended: seconds until asking again is worth it' }
const UNKNOWN = ['BAD_ID', 'TASK_NOT_FOUND'] as const

/** The longest that a long poll waits, seconds: proxies and servers end what is silent for longer. */
const WAIT_MAX_SECONDS = 60
const WAIT = `must be a number of seconds, 0 to ${WAIT_MAX_SECONDS}`
export const waitQuery = defineQuery({
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
export const getTask: Operation = {
  id: 'getTask',
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

export const purgeQuery = defineQuery({
  purge: switchParameter().describe('1: remove an ended task, all of it, instead'),
})
export const cancelTask: Operation = {
  id: 'cancelTask',
  tag: 'tasks',
  summary: 'Cancel a task, or remove an ended one',
  query: purgeQuery,
  answers: {
    200: { description: 'It is REVOKED now.', content: { [JSON_TYPE]: cancellation } },
    202: {
      description: 'A worker runs it and is told; the wish is durable.',
      content: { [JSON_TYPE]: cancellation },
    },
    204: { description: 'Removed (`purge=1`).' },
  },
  errors: [...UNKNOWN, 'TASK_ENDED', 'TASK_NOT_ENDED'],
}

const RANGES = {
  Range: 'a range of bytes',
  'If-Range': 'serve the range only while this ETag is the current one',
}
const PART = { 'Content-Range': 'which bytes, and of how many', 'Accept-Ranges': 'bytes' }

export const getResult: Operation = {
  id: 'getResult',
  tag: 'tasks',
  summary: 'The whole result of a task in SUCCESS',
  description: 'A result that is a text comes as text, any other as JSON.',
  headers: { ...RANGES, 'If-None-Match': 'ETags that are known: 304 when the task has not changed' },
  answers: {
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
  },
  errors: [...UNKNOWN, 'TASK_NOT_ENDED', 'RESULT_NOT_FOUND', 'RANGE_NOT_SATISFIABLE'],
}

export const getLog: Operation = {
  id: 'getLog',
  tag: 'tasks',
  summary: "The task's own last log lines",
  headers: { Range: RANGES.Range },
  answers: {
    200: {
      description: 'The lines; nothing when it has written none.',
      headers: { 'Accept-Ranges': 'bytes' },
      content: { [TEXT]: null },
    },
    206: { description: 'The range that was asked for.', headers: PART, content: { [TEXT]: null } },
  },
  errors: [...UNKNOWN, 'RANGE_NOT_SATISFIABLE'],
}

export const retryTask: Operation = {
  id: 'retryTask',
  tag: 'tasks',
  summary: 'Run an ended task again',
  answers: { 202: accepted },
  errors: [...UNKNOWN, 'TASK_NOT_ENDED', 'TASK_BUSY', 'STORE_FULL'],
}

export const calcpiQuery = defineQuery({
  method: boundedText(40).optional().describe('see the kind calcpi in GET /kinds'),
  pace: boundedText(20)
    .optional()
    .describe('seconds that the task should take at least; see the kind calcpi'),
})
export const startCalcPi: Operation = {
  id: 'startCalcPi',
  tag: 'tasks',
  summary: 'Submit pi to n digits',
  description: 'The short way to a task of the kind `calcpi`. It creates, so it has no HEAD.',
  path: {
    n: z
      .string()
      .regex(/^\d{1,15}$/)
      .describe('digits after the point'),
  },
  query: calcpiQuery,
  answers: { 202: accepted },
  errors: ['PARAMS_INVALID', 'KIND_UNKNOWN', 'TOO_MANY_WAITING', 'STORE_FULL'],
  creates: true,
}
