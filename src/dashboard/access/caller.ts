// Who sent a request, by one of the two session cookies or HTTP basic auth, and the guards of the routes: logged in, of
// this site, with the right to do it.
import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Access, Origin } from '../../access/access.ts'
import { isBuiltIn } from '../../access/account.ts'
import { LOGIN_COOKIE } from '../../api/identify.ts'
import type { LoginWatch } from '../../api/streams.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { actorAt } from '../../core/policy.ts'
import { isCrossSite, isOwnPath, isUnproven, isVisit } from '../../platform/http-guards.ts'
import type { ServeEnv } from '../../platform/serve.ts'
import { type Accounts, whoOfLogin } from './accounts.ts'
import type { LoginWatches } from './login-watch.ts'
import type { PeopleSessions } from './people-sessions.ts'
import { type Deed, demandRight, type Who } from './rights.ts'
import { SESSION_COOKIE, type Sessions } from './session.ts'
import { isFormToken, type Session } from './signatures.ts'

/** Variables that the checks set for later routes. */
export interface DashboardEnv {
  Variables: {
    session: Session | null
    who: Who | null
    /** For what stays open: tells that the login has ended, or may do something else now. */
    watch: () => LoginWatch
    form: URLSearchParams
  }
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

/** Where a request comes from, for limits and for people. */
export const originOf = (c: Context): Origin => ({
  address: addressOf(c),
  agent: c.req.header('user-agent') ?? null,
  via: 'dashboard',
})

export interface CallerOptions {
  sessions: Sessions
  people: PeopleSessions
  accounts: Accounts
  access: Pick<Access, 'watch'>
  logins: Pick<LoginWatches, 'ofSession' | 'ofPassword'>
}

interface Caller {
  who: Who
  session: Session | null
  watch: () => LoginWatch
}

/** What anybody may open who cannot log in now, or not yet. */
const WAYS_IN = ['/login', '/register']

/**
 * Finds out who sent the request. A wrong cookie counts as none; a wrong name or password too, so that the route
 * answers 401. @throws TOO_MANY_REQUESTS; STORE_UNAVAILABLE while nobody can say who it is
 */
export const readCaller = ({
  sessions,
  people,
  accounts,
  access,
  logins,
}: CallerOptions): MiddlewareHandler<DashboardEnv> => {
  const bySession = async (c: Context): Promise<Caller | null> => {
    const cookie = getCookie(c, SESSION_COOKIE)
    const session = await sessions.check(cookie)
    if (session && cookie !== undefined) {
      const { login } = session
      return { who: whoOfLogin(login), session, watch: () => logins.ofSession(cookie, login) }
    }
    const person = await people.check(getCookie(c, LOGIN_COOKIE))
    return person && { ...person, watch: () => access.watch(person.who.actor) }
  }

  const byPassword = async (c: Context): Promise<Caller | null> => {
    const header = c.req.header('authorization')
    const found = header === undefined ? null : await accounts.basic(header, originOf(c))
    if (!found) return null
    const { who, bound } = found
    const { account } = who
    if (bound === null || !isBuiltIn(account))
      return { who, session: null, watch: () => access.watch(who.actor) }
    const login = account === 'viewer' ? 'viewer' : 'operator'
    return { who, session: null, watch: () => logins.ofPassword(login, bound) }
  }

  return async (c, next) => {
    const known = await bySession(c).catch((error: unknown) => {
      // the way to a session that can be told
      if (WAYS_IN.includes(c.req.path) && isMadhavaError(error, 'STORE_UNAVAILABLE')) return null
      throw error
    })
    const caller = known ?? (await byPassword(c))
    c.set('session', caller?.session ?? null)
    c.set('who', caller && { ...caller.who, actor: actorAt(caller.who.actor, addressOf(c)) })
    c.set('watch', caller?.watch ?? (() => ({ signal: new AbortController().signal, close: () => {} })))
    await next()
  }
}

/** @throws UNAUTHORIZED */
export const whoOf = (c: DashboardContext): Who => {
  const who = c.get('who')
  if (!who) throw new MadhavaError('UNAUTHORIZED')
  return who
}

/** An address on this server that the login may lead to; null for any other. */
export const ownAddress = (text: string | null | undefined): string | null =>
  text && text.length <= 2000 && isOwnPath(text) && text !== '/' ? text : null

/** To the login, which leads back to the page. @throws UNAUTHORIZED for programs */
const askToLogIn = (c: DashboardContext): Response => {
  if (isProgram(c)) throw new MadhavaError('UNAUTHORIZED')
  const { pathname, search } = new URL(c.req.url)
  const wanted = c.req.method === 'GET' ? ownAddress(pathname + search) : null
  return c.redirect(wanted === null ? '/login' : `/login?${new URLSearchParams({ next: wanted })}`, 303)
}

/** Lets through who may do it. Without a login it redirects to the one of people; programs get a 401. @throws FORBIDDEN */
export const requireRight =
  (deed: Deed): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    const who = c.get('who')
    if (!who) return askToLogIn(c)
    demandRight(who, deed)
    return next()
  }

/** As `requireRight`, by a session: for pages, whose token is the session's. */
export const requireSession =
  (deed: Deed): MiddlewareHandler<DashboardEnv> =>
  async (c, next) => {
    if (!c.get('session')) return askToLogIn(c)
    demandRight(whoOf(c), deed)
    return next()
  }

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

/** Refuses what no person has gone to: a picture or a frame of some page. @throws CROSS_SITE */
export const demandVisit = (c: Context): void => {
  if (!isVisit({ header: headerOf(c) })) throw new MadhavaError('CROSS_SITE')
}

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
export const requireFormToken: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  const session = c.get('session')
  if (!session || !isFormToken(session, c.get('form').get('token') ?? ''))
    throw new MadhavaError('FORBIDDEN', 'The form is no longer current; go back, reload the page, try again')
  await next()
}

/**
 * The guard of a request that changes something and is no form: of this site, and with the session's token in
 * X-CSRF-Token. A program with a password sends no token, since no page can send a password that it does not have.
 * @throws UNAUTHORIZED, CROSS_SITE, FORBIDDEN
 */
export const requireToken: MiddlewareHandler<DashboardEnv> = async (c, next) => {
  refuseOtherSites(c)
  const session = c.get('session')
  if (session && !isFormToken(session, c.req.header(TOKEN_HEADER) ?? ''))
    throw new MadhavaError(
      'FORBIDDEN',
      'X-CSRF-Token is missing or no longer current; GET /me.json has the present one',
    )
  whoOf(c)
  await next()
}
