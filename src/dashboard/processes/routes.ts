// GET /processes.json: the processes as the supervisor and their own words have them.
import { Hono } from 'hono'
import { type DashboardEnv, requireRight } from '../access/caller.ts'
import type { Processes } from './processes.ts'
import { type ShownRow, showRow } from './row.ts'

/** "4 of 4 online" */
const summary = (rows: readonly ShownRow[]): string =>
  `${rows.filter(row => row.state === 'online').length} of ${rows.length} online`

export const createProcessRoutes = ({ processes }: { processes: Processes }): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>().get('/processes.json', requireRight('look'), async c => {
    const rows = (await processes.list()).map(showRow)
    return c.json({ processes: rows, summary: summary(rows) })
  })
