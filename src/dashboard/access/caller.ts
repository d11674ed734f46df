// Who sent a request, by session cookie or HTTP basic auth, and the guards of the routes: logged in, of this site, with
// the right to do it.
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { isCrossSite, isUnproven } from '../../platform/http-guards.ts'
import type { ServeEnv } from '../../platform/serve.ts'
import type { Accounts } from './accounts.ts'
import type { Who } from './rights.ts'
import { SESSION_COOKIE, type Session, type Sessions } from './session.ts'

/** Variables that the checks set for later routes. */
export interface DashboardEnv {
  Variables: { session: Session | null; who: Who | null; form: URLSearchParams }
}

type DashboardContext = Context<DashboardEnv>

/** The header with the token of a session, for requests whose body is no form. */
export const TOKEN_HEADER = 'x-csrf-token'

const headerOf =
  (c: Context) =>
  (name: string): string | null =>
    c.req.header(name) ?? null

/** Whether the client is a program, which reads problem documents and not pages. */
export const isProgram = (c: Context): boolean => {
  const accept = c.req.header('accept') ?? ''
  if (/\.json$|^\/(?:RPC2|logtail|logs|api|stream)(?:\/|$)/.test(c.req.path)) return true
  if (accept.startsWith('application/json')) return true
  return ['authorization', TOKEN_HEADER].some(name => c.req.header(name) !== undefined)
}

/** The client's address, also behind a proxy that TRUST_PROXY names; null where it is not known. */
export const addressOf = (c: Context): string | null =>
  (c.env as Partial<ServeEnv> | undefined)?.client?.address ?? null

/**
 * Finds out who sent the request. A wrong cookie counts as none; a wrong name or password too, so that the route
 * answers 401. @throws TOO_MANY_REQUESTS; STORE_UNAVAILABLE while nobody can say who it is
 */
export const readCaller =
  (sessions: Sessions, accounts: Accounts): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    const session = await sessions.check(getCookie(c, SESSION_COOKIE)).catch((error: unknown) => {
      // the way to a session that can be told
      if (c.req.path === '/login' && isMadhavaError(error, 'STORE_UNAVAILABLE')) return null
      throw error
    })
    const header = c.req.header('authorization')
    c.set('session', session)
    const who = session
      ? { name: session.role, role: session.role }
      : header === undefined
        ? null
        : await accounts.basic(header, addressOf(c))
    c.set('who', who && { ...who, address: addressOf(c) })
    await next()
  }

/** @throws UNAUTHORIZED */
export const whoOf = (c: DashboardContext): Who => {
  const who = c.get('who')
  if (!who) throw new MadhavaError('UNAUTHORIZED')
  return who
}

/** An address on this server that the login may lead to; null for any other. */
export const ownAddress = (text: string | null | undefined): string | null =>
  text && text.length <= 2000 && /^\/(?![/\\])[^\s\\]*$/.test(text) && text !== '/' ? text : null

/** To the login, which leads back to the page. @throws UNAUTHORIZED for programs */
const askToLogIn = (c: DashboardContext): Response => {
  if (isProgram(c)) throw new MadhavaError('UNAUTHORIZED')
  const { pathname, search } = new URL(c.req.url)
  const wanted = c.req.method === 'GET' ? ownAddress(pathname + search) : null
  return c.redirect(wanted === null ? '/login' : `/login?${new URLSearchParams({ next: wanted })}`, 303)
}

/** Redirects to the login without one; programs get a 401. */
export const requireLogin: MiddlewareHandler<DashboardEnv> = async (c, next) =>
  c.get('who') ? next() : askToLogIn(c)

/** As `requireLogin`, by a session: for pages, whose token is the session's. */
export const requireSession: MiddlewareHandler<DashboardEnv> = async (c, next) =>
  c.get('session') ? next() : askToLogIn(c)

/** @throws CROSS_SITE when another site caused the request */
export const refuseOtherSites = (c: Context): void => {
  const header = headerOf(c)
  const foreign = isCrossSite({
    host: header('host'),
    origin: header('origin'),
    site: header('sec-fetch-site'),
  })
  if (foreign || isUnproven({ method: c.req.method, header })) throw new MadhavaError('CROSS_SITE')
}

const typeOf = (c: Context): string => c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''

/** Whether the body is that of an HTML form. */
export const isForm = (c: Context): boolean => typeOf(c) === 'application/x-www-form-urlencoded'

/** Refuses requests that another site caused; otherwise reads the form. @throws CROSS_SITE and others */
export const readForm: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  refuseOtherSites(c)
  if (!isForm(c))
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

/**
 * The guard of a request that changes something and is no form: of this site, and with the session's token in
 * X-CSRF-Token. A program with a password sends no token, since no page can send a password that it does not have.
 * @throws UNAUTHORIZED, CROSS_SITE, FORBIDDEN
 */
export const requireToken =
  (sessions: Sessions): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    refuseOtherSites(c)
    const session = c.get('session')
    if (session && !sessions.isFormToken(session, c.req.header(TOKEN_HEADER) ?? ''))
      throw new MadhavaError(
        'FORBIDDEN',
        'X-CSRF-Token is missing or no longer current; GET /me.json has the present one',
      )
    whoOf(c)
    await next()
  }
