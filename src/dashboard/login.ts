// Authentication: the login form, the session cookie, and the two checks of every form.
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { MadhavaError } from '../core/errors.ts'
import { isCrossSite, isUnproven } from '../platform/http-guards.ts'
import type { Log } from '../platform/log.ts'
import type { ServeEnv } from '../platform/serve.ts'
import type { LoginLimit } from './login-limit.ts'
import type { Operator } from './operator.ts'
import { languageOf, themeOf } from './page-look.ts'
import { type LoginProblem, loginPage } from './plain-pages.ts'
import { SESSION_COOKIE, SESSION_LIFETIME_MS, type Session, type Sessions } from './session.ts'
import type { WebFiles } from './web-files.ts'

/** Variables that the checks set for later routes. */
export interface DashboardEnv {
  Variables: { session: Session | null; form: URLSearchParams }
}

export interface LoginOptions {
  operator: Operator
  session: Sessions
  limit: LoginLimit
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

/** Whether the client is a program, which reads problem documents and not pages. */
export const isProgram = (c: Context): boolean =>
  /\.json$|^\/(?:api\/|stream$)/.test(c.req.path) ||
  (c.req.header('accept') ?? '').startsWith('application/json')

/** An address on this server that the login may lead to; null for any other. */
const ownAddress = (text: string | null | undefined): string | null =>
  text && text.length <= 2000 && /^\/(?![/\\])[^\s\\]*$/.test(text) && text !== '/' ? text : null

/** The client's address, also behind a proxy that TRUST_PROXY names. */
const addressOf = (c: Context): string =>
  (c.env as Partial<ServeEnv> | undefined)?.client?.address ?? 'unknown'

/** Looks up the session of every request. A wrong cookie counts as no session. */
export const readSession =
  (sessions: Sessions): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    c.set('session', await sessions.check(getCookie(c, SESSION_COOKIE)))
    await next()
  }

/** Redirects to the login without a session; programs get a 401. */
export const requireSession: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  if (c.get('session')) return next()
  if (isProgram(c)) throw new MadhavaError('UNAUTHORIZED')
  const { pathname, search } = new URL(c.req.url)
  const wanted = c.req.method === 'GET' ? ownAddress(pathname + search) : null
  return c.redirect(wanted === null ? '/login' : `/login?${new URLSearchParams({ next: wanted })}`, 303)
}

/** Refuses requests that another site caused; otherwise reads the form. @throws CROSS_SITE and others */
export const readForm: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  const header = (name: string): string | null => c.req.header(name) ?? null
  const foreign = isCrossSite({
    host: header('host'),
    origin: header('origin'),
    site: header('sec-fetch-site'),
  })
  if (foreign || isUnproven({ method: c.req.method, header })) throw new MadhavaError('CROSS_SITE')
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/x-www-form-urlencoded')
    throw new MadhavaError('UNSUPPORTED_MEDIA_TYPE', 'A form is sent as application/x-www-form-urlencoded')
  c.set('form', new URLSearchParams(await c.req.text()))
  await next()
}

/** Refuses a form that was not made for this session. @throws FORBIDDEN */
export const requireFormToken =
  (sessions: Sessions): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    const session = c.get('session')
    if (!session || !sessions.isFormToken(session, c.get('form').get('token') ?? ''))
      throw new MadhavaError(
        'FORBIDDEN',
        'The form is no longer current; go back, reload the page, try again',
      )
    await next()
  }

/** GET and POST /login, POST /logout. */
export const createLogin = ({ operator, session, limit, log, web }: LoginOptions): Hono<DashboardEnv> => {
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
    const wait = limit.take(address)
    if (wait > 0) {
      log.warn({ address }, 'a login was put off: too many tries')
      c.header('Retry-After', String(wait))
      return c.html(showLogin(c, { code: 'WAIT', seconds: wait }, next), 429)
    }
    if (!(await operator.verify(form.get('name') ?? '', form.get('password') ?? '', limit.tries(address)))) {
      log.warn({ address }, 'a login failed')
      return c.html(showLogin(c, { code: 'WRONG' }, next), 401)
    }
    const cookie = await session.begin()
    if (cookie === null) throw new MadhavaError('FORBIDDEN', 'There is no operator yet')
    limit.forgive(address)
    log.info({ address }, 'the operator logged in')
    setCookie(c, SESSION_COOKIE, cookie, { ...COOKIE, maxAge: SESSION_LIFETIME_MS / 1000 })
    return c.redirect(next ?? '/', 303)
  })

  app.post('/logout', requireSession, readForm, requireFormToken(session), async c => {
    await session.end(getCookie(c, SESSION_COOKIE) ?? '')
    deleteCookie(c, SESSION_COOKIE, COOKIE)
    return c.redirect('/login', 303)
  })

  return app
}
