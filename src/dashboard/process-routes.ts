// The routes behind the login: the table, its buttons, the logs.
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { SeenKindTrouble } from '../core/kind-trouble.ts'
import type { Log } from '../platform/log.ts'
import { afterAnswer } from './after-answer.ts'
import {
  type DashboardEnv,
  readForm,
  requireFormToken,
  requireLogin,
  requireRight,
  requireSession,
  whoOf,
} from './caller.ts'
import { readTail, TAIL } from './logs.ts'
import { failureOf, type ProcessOrders } from './process-orders.ts'
import { ACTIONS, type Action, LOG_STREAMS, type LogStream, type Processes } from './processes.ts'
import type { Sessions } from './session.ts'
import { restartingPage } from './web/layout.ts'
import { logPage } from './web/log-page.ts'
import { processesPage, summary, supervisorAwayPage } from './web/processes-page.ts'
import { showRow } from './web/row.ts'

export interface ProcessRoutesOptions {
  processes: Processes
  orders: ProcessOrders
  session: Sessions
  kindTroubles: () => Promise<SeenKindTrouble[]>
  log: Log
}

/** How long a form waits for what becomes of its order, milliseconds. */
const WAIT_MS = 5_000
const DONE: Record<Action, string> = { start: 'Started', stop: 'Stopped', restart: 'Restarted' }
const UNDERWAY: Record<Action, string> = { start: 'Starting', stop: 'Stopping', restart: 'Restarting' }

/** The result of the last button, in the address after the redirect. Other values are ignored. */
const doneSchema = z.object({
  did: z.enum(ACTIONS),
  outcome: z.enum(['done', 'underway', 'unchanged']),
  process: z.string().optional(),
})
const describe = (query: unknown, names: readonly string[]): string | null => {
  const parsed = doneSchema.safeParse(query)
  if (!parsed.success) return null
  const { did, outcome, process: name } = parsed.data
  if (name !== undefined && !names.includes(name)) return null
  const what = name ?? 'all processes'
  if (outcome === 'unchanged') return `Nothing to ${did}: ${what}.`
  return outcome === 'done'
    ? `${DONE[did]}: ${what}.`
    : `${UNDERWAY[did]}: ${what}. That takes as long as running work needs to end.`
}

const logQuery = z.object({
  lines: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .refine(count => count >= 1 && count <= TAIL.lines)
    .default(200),
  instance: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .nullable()
    .default(null),
  stream: z.enum(LOG_STREAMS).nullable().default(null),
})

/** The form token of the session that `requireSession` has set. */
const formTokenOf = (c: Context<DashboardEnv>): string => {
  const session = c.get('session')
  if (!session) throw new MadhavaError('UNAUTHORIZED')
  return session.formToken
}

export const createProcessRoutes = ({
  processes,
  orders,
  session,
  kindTroubles,
  log,
}: ProcessRoutesOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const answerAction = async (c: Context<DashboardEnv>, action: Action, name: string | null) => {
    const result = await orders.give({ action, name, who: whoOf(c), waitMs: WAIT_MS })
    const failure = failureOf(result)
    if (failure) throw failure
    const { act } = result
    if (act) {
      afterAnswer(c, () => {
        act().catch((error: unknown) => log.error({ error }, 'a restart failed'))
      })
      return c.html(restartingPage(formTokenOf(c)), 202)
    }
    const query = new URLSearchParams({ did: action, outcome: result.outcome })
    if (name !== null) query.set('process', name)
    return c.redirect(`/?${query}`, 303)
  }

  app.get('/', requireSession, async c => {
    try {
      const rows = (await processes.list()).map(showRow)
      const message = describe(
        c.req.query(),
        rows.map(row => row.name),
      )
      // the page is needed most when something is wrong, so it works without the store
      const troubles = await kindTroubles().catch(() => [])
      return c.html(processesPage({ rows, message, formToken: formTokenOf(c), kindTroubles: troubles }))
    } catch (error) {
      if (!isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE')) throw error
      return c.html(supervisorAwayPage(`${error.message}.`, formTokenOf(c)), 503)
    }
  })

  app.get('/processes.json', requireLogin, async c => {
    const rows = (await processes.list()).map(showRow)
    return c.json({ processes: rows, summary: summary(rows) })
  })

  const form = [
    requireSession,
    readForm,
    requireFormToken(session),
    requireRight('processes.change'),
  ] as const
  for (const action of ACTIONS) {
    app.post(`/processes/${action}`, ...form, async c => answerAction(c, action, null))
    app.post(`/processes/:name/${action}`, ...form, async c => answerAction(c, action, c.req.param('name')))
  }

  const showLog = async (c: Context<DashboardEnv>, name: string, only: LogStream | null) => {
    const query = logQuery.safeParse(c.req.query())
    if (!query.success)
      throw new MadhavaError(
        'BAD_REQUEST',
        `lines is 1 to ${TAIL.lines}, instance a number, stream out or err`,
      )
    const { lines, instance, stream } = query.data
    const wanted = only ?? stream
    const panes = await Promise.all(
      (wanted ? [wanted] : LOG_STREAMS).map(async one => {
        const file = await processes.logFile(name, one, instance)
        return { stream: one, tail: file === null ? null : await readTail(file, lines) }
      }),
    )
    return c.html(logPage({ name, instance, lines, panes, formToken: formTokenOf(c) }))
  }

  app.get('/processes/:name/log', requireSession, c => showLog(c, c.req.param('name'), null))
  for (const stream of LOG_STREAMS)
    app.get(`/processes/:name/log/${stream}`, requireSession, c => showLog(c, c.req.param('name'), stream))

  return app
}
