// The login form, and the way out.
import { type Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { type AuditRecorder, auditedBy } from '../../core/audit-recorder.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { languageOf, themeOf } from '../page-look.ts'
import { type LoginProblem, loginPage } from '../plain-pages.ts'
import type { WebFiles } from '../web-files.ts'
import type { Accounts } from './accounts.ts'
import {
  addressOf,
  type DashboardEnv,
  ownAddress,
  readForm,
  requireFormToken,
  requireSession,
  whoOf,
} from './caller.ts'
import { actorOfWho } from './rights.ts'
import { SESSION_COOKIE, SESSION_LIFETIME_MS, type Sessions } from './session.ts'

export interface LoginOptions {
  accounts: Accounts
  session: Sessions
  audit: AuditRecorder
  log: Log
  web: Pick<WebFiles, 'style' | 'icon'>
}

const COOKIE = {
  path: '/',
  httpOnly: true,
  sameSite: 'Strict',
  // Not `Secure`: the server speaks plain HTTP, where browsers would drop such a cookie. It cannot know whether a
  // proxy ends TLS, since anyone can send the headers that say so.
  secure: false,
} as const

/** Seconds to wait, of the error for too many tries; null for any other error. */
export const waitOf = (error: unknown): number | null => {
  if (!isMadhavaError(error, 'TOO_MANY_REQUESTS')) return null
  const { retryAfterSeconds } = (error.detail ?? {}) as { retryAfterSeconds?: unknown }
  return typeof retryAfterSeconds === 'number' ? retryAfterSeconds : null
}

/** GET and POST /login, POST /logout. */
export const createLogin = ({ accounts, session, audit, log, web }: LoginOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const showLogin = (c: Context, problem: LoginProblem | null, next: string | null) =>
    loginPage({ web, language: languageOf(c), theme: themeOf(c) }, problem, next)

  app.get('/login', c => {
    const next = ownAddress(c.req.query('next'))
    return c.get('session') ? c.redirect(next ?? '/', 303) : c.html(showLogin(c, null, next))
  })

  app.post('/login', readForm, async c => {
    const address = addressOf(c)
    const form = c.get('form')
    const next = ownAddress(form.get('next'))
    const asked = await accounts
      .login(form.get('name') ?? '', form.get('password') ?? '', address)
      .catch((error: unknown) => {
        const wait = waitOf(error)
        if (wait === null) throw error
        return wait
      })
    if (typeof asked === 'number') {
      c.header('Retry-After', String(asked))
      return c.html(showLogin(c, { code: 'WAIT', seconds: asked }, next), 429)
    }
    if (!asked) return c.html(showLogin(c, { code: 'WRONG' }, next), 401)
    const cookie = await session.begin(asked.role)
    if (cookie === null) throw new MadhavaError('FORBIDDEN', 'There is no such login yet')
    log.info({ address, who: asked.name }, 'somebody logged in')
    await audit.note(auditedBy(actorOfWho({ ...asked, address })), 'login', [asked.name])
    setCookie(c, SESSION_COOKIE, cookie, { ...COOKIE, maxAge: SESSION_LIFETIME_MS / 1000 })
    return c.redirect(next ?? '/', 303)
  })

  app.post('/logout', requireSession, readForm, requireFormToken(session), async c => {
    log.info({ address: addressOf(c), who: c.get('who')?.name }, 'somebody logged out')
    const who = whoOf(c)
    await audit.run(auditedBy(actorOfWho(who)), { action: 'logout', target: who.name }, () =>
      session.end(getCookie(c, SESSION_COOKIE) ?? ''),
    )
    deleteCookie(c, SESSION_COOKIE, COOKIE)
    return c.redirect('/login', 303)
  })

  return app
}
