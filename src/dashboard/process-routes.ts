// The processes and their logs as JSON: the table, its buttons, the last lines.
import type { ServerResponse } from 'node:http'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import { requirePageToken } from './json-guard.ts'
import { type DashboardEnv, requireSession } from './login.ts'
import { readTail, TAIL } from './logs.ts'
import { ACTIONS, type ActionOutcome, LOG_STREAMS, type Processes } from './processes.ts'
import { type ShownRow, showRow } from './row.ts'
import type { Sessions } from './session.ts'

export interface ProcessRoutesOptions {
  processes: Processes
  session: Sessions
  log: Log
}

/** "4 of 4 online" */
const summary = (rows: readonly ShownRow[]): string =>
  `${rows.filter(row => row.state === 'online').length} of ${rows.length} online`

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
})

/** How long to wait until the answer has left, milliseconds; then the deferred action runs anyway. */
const LEAVE_MS = 2_000
/** Further time for the browser to fetch the page's files, while the dashboard still runs. */
const LINGER_MS = 500

/** Runs `work` once, soon after the answer has left. */
const afterAnswer = (c: Context, work: () => void): void => {
  const outgoing = (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing
  let begun = false
  const begin = (): void => {
    if (begun) return
    begun = true
    clearTimeout(timer)
    setTimeout(work, LINGER_MS)
  }
  const timer = setTimeout(begin, outgoing ? LEAVE_MS : 0)
  outgoing?.once('close', begin)
}

export const createProcessRoutes = ({
  processes,
  session,
  log,
}: ProcessRoutesOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const answerAction = (c: Context<DashboardEnv>, result: ActionOutcome): Response => {
    if (result.outcome === 'deferred')
      afterAnswer(c, () => {
        result.act().catch((error: unknown) => log.error({ error }, 'a restart failed'))
      })
    return c.json({ outcome: result.outcome }, result.outcome === 'deferred' ? 202 : 200)
  }

  app.get('/processes.json', requireSession, async c => {
    const rows = (await processes.list()).map(showRow)
    return c.json({ processes: rows, summary: summary(rows) })
  })

  for (const action of ACTIONS) {
    app.post(`/processes/${action}`, requireSession, requirePageToken(session), async c =>
      answerAction(c, await processes.actAll(action)),
    )
    app.post(`/processes/:name/${action}`, requireSession, requirePageToken(session), async c =>
      answerAction(c, await processes.act(action, c.req.param('name'))),
    )
  }

  for (const stream of LOG_STREAMS)
    app.get(`/logs/:name/${stream}.json`, requireSession, async c => {
      const query = logQuery.safeParse(c.req.query())
      if (!query.success)
        throw new MadhavaError('BAD_REQUEST', `lines is 1 to ${TAIL.lines}, instance a number`)
      const { lines, instance } = query.data
      const file = await processes.logFile(c.req.param('name'), stream, instance)
      return c.json(file === null ? { lines: [], more: false, bytes: null } : await readTail(file, lines))
    })

  return app
}
