// GET /me.json: who is logged in, what they may do, and the token for requests that change something.
import { Hono } from 'hono'
import { type DashboardEnv, requireRight, whoOf } from './caller.ts'
import { DEEDS, isBuiltInLogin, mayDo } from './rights.ts'

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
  app.get('/me.json', requireRight('account'), c => {
    const who = whoOf(c)
    const session = c.get('session')
    return c.json({
      name: who.name,
      account: who.account,
      role: who.role,
      may: DEEDS.filter(deed => mayDo(who, deed)),
      scopes: who.actor.scopes,
      isBuiltIn: isBuiltInLogin(who),
      // programs with a password need none
      csrf: session?.formToken ?? null,
      sessionEndsAt: session ? new Date(session.expiresAt).toISOString() : null,
      installation,
    })
  })
  return app
}
