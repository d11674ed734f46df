// GET /me.json: who is logged in, what they may do, and the token for requests that change something.
import { Hono } from 'hono'
import { type DashboardEnv, requireLogin, whoOf } from './caller.ts'
import { DEEDS, mayDo } from './rights.ts'

/** What the frame of every page shows. */
export interface Installation {
  name: string
  host: string
  version: string
  /** When the dashboard's process began, ISO 8601. */
  startedAt: string
}

export const createMe = ({ installation }: { installation: Installation }): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  app.get('/me.json', requireLogin, c => {
    const who = whoOf(c)
    const session = c.get('session')
    return c.json({
      name: who.name,
      role: who.role,
      may: DEEDS.filter(deed => mayDo(who, deed)),
      // programs with a password need none
      csrf: session?.formToken ?? null,
      sessionEndsAt: session ? new Date(session.expiresAt).toISOString() : null,
      installation,
    })
  })
  return app
}
