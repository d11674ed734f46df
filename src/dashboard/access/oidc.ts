// Sign-in by OpenID Connect at the dashboard: the button of the login leads to the provider, which leads back. The
// cookie of a login is for requests of this site alone, and a redirect of the provider is none: so the end is a page
// that goes on.
import { type Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Access } from '../../access/access.ts'
import { signInCookieOf } from '../../access/oidc/attempt.ts'
import { crowdedOut, signInCookieOptions } from '../../access/oidc/cookies.ts'
import { ERRORS, isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { LoginProblem } from '../plain-pages.ts'
import { type DashboardEnv, demandVisit, originOf, ownAddress } from './caller.ts'
import { waitOf } from './login.ts'
import { COOKIE, type LoginDoor } from './login-door.ts'
import { SESSION_COOKIE } from './session.ts'

export interface OidcOptions {
  access: Pick<Access, 'beginSignIn' | 'endSignIn'>
  door: LoginDoor
}

const DOOR = 'dashboard'
const BEGUN = signInCookieOptions(DOOR)

/** Errors that the login page tells; any other is an error page. */
const TOLD: readonly string[] = [
  ...['OIDC_STATE_INVALID', 'OIDC_DENIED', 'OIDC_NO_ROLE', 'OIDC_FAILED', 'OIDC_UNAVAILABLE'],
  ...['ACCOUNT_DISABLED', 'TOO_MANY_REQUESTS'],
]

/** GET /login/oidc and GET /login/oidc/callback. */
export const createOidc = ({ access, door }: OidcOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  /** @throws METHOD_NOT_ALLOWED, CROSS_SITE */
  const demandBrowser = (c: Context): void => {
    if (c.req.method === 'HEAD') throw new MadhavaError('METHOD_NOT_ALLOWED')
    demandVisit(c)
    c.header('Cache-Control', 'no-store')
  }

  /** The login, with what went wrong. @throws what it has no words for */
  const tellFailure = (c: Context, error: unknown): Response | Promise<Response> => {
    if (!isMadhavaError(error) || !TOLD.includes(error.code)) throw error
    const seconds = waitOf(error)
    if (seconds !== null) c.header('Retry-After', String(seconds))
    const problem: LoginProblem =
      seconds === null ? { code: 'OIDC', error: error.code } : { code: 'WAIT', seconds }
    return c.html(door.show(c, { problem, next: null }), ERRORS[error.code].status as ContentfulStatusCode)
  }

  app.get('/login/oidc', async c => {
    demandBrowser(c)
    const next = ownAddress(c.req.query('next'))
    try {
      const { location, cookie } = await access.beginSignIn(DOOR, next)
      for (const name of crowdedOut(getCookie(c))) deleteCookie(c, name, BEGUN)
      const { name, value, seconds, isSecure } = cookie
      setCookie(c, name, value, { ...BEGUN, secure: isSecure, maxAge: seconds })
      return c.redirect(location, 303)
    } catch (error) {
      return tellFailure(c, error)
    }
  })

  app.get('/login/oidc/callback', async c => {
    demandBrowser(c)
    const { search, searchParams } = new URL(c.req.url)
    const own = signInCookieOf(searchParams.get('state'))
    if (own !== null && getCookie(c, own) !== undefined) deleteCookie(c, own, BEGUN)
    const answer = { door: DOOR, query: search, cookieOf: (name: string) => getCookie(c, name) } as const
    try {
      const { token, expiresAt, returnTo } = await access.endSignIn(answer, originOf(c))
      door.keepToken(c, token, Date.parse(expiresAt))
      // it would go before the new one, and a browser that comes from another site does not show it
      deleteCookie(c, SESSION_COOKIE, COOKIE)
      // nobody can use them here any more; the store may be away
      await door.endAll(c).catch(() => {})
      return c.html(door.lead(c, returnTo ?? '/'))
    } catch (error) {
      return tellFailure(c, error)
    }
  })
  return app
}
