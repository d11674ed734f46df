// GET /calcpi/{n}: the short way to a task of the kind calcpi. It creates, so it is guarded like a POST and has no
// HEAD.
import { Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { refuseCrossSite } from './guards.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery, textParameter } from './query.ts'
import { RATE_LIMIT_HEADERS, sayQuotas } from './rate-limit.ts'
import { accepted, sendAccepted } from './task.ts'

const calcpiQuery = defineQuery({
  method: textParameter(40).optional().describe('see the kind calcpi in GET /kinds'),
  pace: textParameter(20)
    .optional()
    .describe('seconds that the task should take at least; see the kind calcpi'),
})
const startCalcPi: Operation = {
  id: 'startCalcPi',
  need: 'submit',
  audit: 'task.submit',
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
  answers: { 202: { ...accepted, headers: { ...accepted.headers, ...RATE_LIMIT_HEADERS } } },
  errors: ['PARAMS_INVALID', 'KIND_UNKNOWN', 'TOO_MANY_WAITING', 'QUOTA_EXCEEDED', 'STORE_FULL'],
  creates: true,
}

/** A number where the text is one, else the text: the kind's schema says what is right. */
const numberOrText = (text: string): number | string =>
  /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : text

export const calcpiRoutes = ({ service, clock }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>().get('/calcpi/:n', describe(startCalcPi), async c => {
    if (c.req.method === 'HEAD') {
      c.header('Allow', 'GET, OPTIONS')
      throw new MadhavaError('METHOD_NOT_ALLOWED', 'GET creates a task here, so HEAD is refused')
    }
    refuseCrossSite(c)
    const n = c.req.param('n')
    if (!/^\d{1,15}$/.test(n))
      throw new MadhavaError(
        'BAD_REQUEST',
        'The number of digits must be a whole number, 0 or more: /calcpi/10',
      )
    const { method, pace } = calcpiQuery.read(c.req.url)
    const params = {
      digits: Number(n),
      ...(method === undefined ? {} : { method }),
      ...(pace === undefined ? {} : { pace: numberOrText(pace) }),
    }
    const { task, quotas } = await service.submit(c.get('actor'), { kind: 'calcpi', params })
    sayQuotas(c, quotas)
    return sendAccepted(c, task, clock())
  })
