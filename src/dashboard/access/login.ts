// The login form, and the way out. Each login begins a session of its own, whatever cookies the browser has.
import { type Context, Hono } from 'hono'
import { deleteCookie, setCookie } from 'hono/cookie'
import { ACCESS_BOUNDS } from '../../access/bounds.ts'
import { LOGIN_COOKIE } from '../../api/identify.ts'
import { type AuditRecorder, auditedBy } from '../../core/audit-recorder.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { actorAt } from '../../core/policy.ts'
import type { Log } from '../../platform/log.ts'
import { type Accounts, type Entered, whoOfLogin } from './accounts.ts'
import {
  type DashboardEnv,
  originOf,
  ownAddress,
  readForm,
  requireFormToken,
  requireSession,
  whoOf,
} from './caller.ts'
import { COOKIE, forget, type LoginDoor } from './login-door.ts'
import { isBuiltInLogin } from './rights.ts'
import { SESSION_COOKIE, SESSION_LIFETIME_MS, type Sessions } from './session.ts'

export interface LoginOptions {
  accounts: Accounts
  sessions: Pick<Sessions, 'begin'>
  door: LoginDoor
  audit: AuditRecorder
  log: Log
}

/** Seconds to wait, of the error for too many tries; null for any other error. */
export const waitOf = (error: unknown): number | null => {
  if (!isMadhavaError(error, 'TOO_MANY_REQUESTS')) return null
  const { retryAfterSeconds } = (error.detail ?? {}) as { retryAfterSeconds?: unknown }
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds : null
}

/** GET and POST /login, POST /logout. */
export const createLogin = ({ accounts, sessions, door, audit, log }: LoginOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const keep = async (c: Context, entered: Entered): Promise<void> => {
    if ('token' in entered) {
      door.keepToken(c, entered.token, entered.expiresAt)
      return forget(c, SESSION_COOKIE)
    }
    const cookie = await sessions.begin(entered.login)
    if (cookie === null) throw new MadhavaError('FORBIDDEN', 'There is no such login yet')
    const { address } = originOf(c)
    log.info({ address, who: entered.login }, 'somebody logged in')
    const { actor } = whoOfLogin(entered.login)
    await audit.note(auditedBy(actorAt(actor, address)), 'login', [entered.login])
    setCookie(c, SESSION_COOKIE, cookie, { ...COOKIE, maxAge: SESSION_LIFETIME_MS / 1000 })
    forget(c, LOGIN_COOKIE)
  }

  app.get('/login', c => {
    const next = ownAddress(c.req.query('next'))
    if (c.get('session')) return c.redirect(next ?? '/', 303)
    const made = c.req.query('made')?.slice(0, ACCESS_BOUNDS.name)
    return c.html(door.show(c, { next, ...(made ? { made } : {}) }))
  })

  app.post('/login', readForm, async c => {
    const form = c.get('form')
    const [name, next] = [form.get('name') ?? '', ownAddress(form.get('next'))]
    const shown = name.slice(0, ACCESS_BOUNDS.name)
    const asked = await accounts
      .logIn({ name, password: form.get('password') ?? '' }, originOf(c))
      .catch((error: unknown) => {
        const wait = waitOf(error)
        if (wait === null) throw error
        return wait
      })
    if (typeof asked === 'number') {
      c.header('Retry-After', String(asked))
      return c.html(door.show(c, { problem: { code: 'WAIT', seconds: asked }, next, name: shown }), 429)
    }
    if (!asked) return c.html(door.show(c, { problem: { code: 'WRONG' }, next, name: shown }), 401)
    await keep(c, asked)
    // nobody can use them here any more; the store may be away
    await door.endAll(c).catch(() => {})
    return c.redirect(next ?? '/', 303)
  })

  app.post('/logout', requireSession('account'), readForm, requireFormToken, async c => {
    const who = whoOf(c)
    log.info({ address: originOf(c).address, who: who.name }, 'somebody logged out')
    // the room access tells of its own sessions
    if (isBuiltInLogin(who))
      await audit.run(auditedBy(who.actor), { action: 'logout', target: who.name }, () => door.endAll(c))
    else await door.endAll(c)
    deleteCookie(c, SESSION_COOKIE, COOKIE)
    forget(c, LOGIN_COOKIE)
    return c.redirect('/login', 303)
  })

  return app
}
