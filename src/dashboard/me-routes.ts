// GET /me.json: who is logged in, what they may do, and which installation this is.
import { Hono } from 'hono'
import { type DashboardEnv, requireSession } from './login.ts'
import { OPERATOR_NAME } from './operator.ts'

export interface Installation {
  /** As INSTALLATION_NAME says; else that of the host. */
  name: string
  host: string
  version: string
  /** Of the dashboard, ISO-8601. */
  startedAt: string
}

export const createMeRoutes = ({ installation }: { installation: Installation }): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>().get('/me.json', requireSession, c =>
    c.json({
      name: OPERATOR_NAME,
      role: 'operator',
      csrf: c.get('session')?.formToken ?? '',
      installation,
    }),
  )
