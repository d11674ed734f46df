// Orders to processes as JSON: POST /processes/{name}/{start|stop|restart}, and /processes/all/{...}. For the pages and
// for programs.
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { type DashboardEnv, requireRight, requireToken, whoOf } from '../access/caller.ts'
import { afterAnswer } from './after-answer.ts'
import { failureOf, type ProcessOrders } from './orders.ts'
import { ACTIONS, type Action } from './processes.ts'

export interface ProcessActionsOptions {
  orders: ProcessOrders
  log: Log
}

/** An empty body is `{}`. */
export const actionBody = z.strictObject({
  /** Longest wait until the process is ready, or has ended. */
  waitSeconds: z.number().min(0).max(60).default(5),
})

const readBody = async (c: Context): Promise<z.output<typeof actionBody>> => {
  const text = await c.req.text()
  try {
    return actionBody.parse(text.trim() === '' ? {} : JSON.parse(text))
  } catch {
    throw new MadhavaError('BAD_REQUEST', 'The body is a JSON object; waitSeconds is 0 to 60')
  }
}

export const createProcessActions = ({ orders, log }: ProcessActionsOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const answer = async (c: Context<DashboardEnv>, action: Action, name: string | null) => {
    const { waitSeconds } = await readBody(c)
    const result = await orders.give({ action, name, who: whoOf(c), waitMs: waitSeconds * 1000 })
    const failure = failureOf(result)
    if (failure) throw failure
    const { act, ...shown } = result
    if (act)
      afterAnswer(c, () => {
        act().catch((error: unknown) => log.error({ error }, 'a restart failed'))
      })
    return c.json(shown, ['underway', 'deferred'].includes(result.outcome) ? 202 : 200)
  }

  // `orders` demands the rest, and the log has what it refused
  const may = requireRight('look')
  for (const action of ACTIONS) {
    app.post(`/processes/all/${action}`, may, requireToken, c => answer(c, action, null))
    app.post(`/processes/:name/${action}`, may, requireToken, c => answer(c, action, c.req.param('name')))
  }
  return app
}
