// Sign-in by OpenID Connect at REST: a browser is sent to the provider, and comes back with a login. The cookie of a
// login is for requests of this site alone, and a redirect of the provider is none: so the end is a page that goes on.
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { html } from 'hono/html'
import { signInCookieOf } from '../access/oidc/attempt.ts'
import { crowdedOut, signInCookieOptions } from '../access/oidc/cookies.ts'
import { MadhavaError } from '../core/errors.ts'
import { isOwnPath } from '../platform/http-guards.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, originOf } from './context.ts'
import { demandVisit } from './guards.ts'
import { describe, type Operation } from './operation.ts'
import { defineQuery, textParameter } from './query.ts'
import { secondsUntil, setLoginCookie } from './sessions.ts'

const DOOR = 'rest'
const COOKIE = signInCookieOptions(DOOR)
const HTML_TYPE = 'text/html'
const RETURN_MAX = 1_000

const beginQuery = defineQuery({
  returnTo: textParameter(RETURN_MAX)
    .optional()
    .describe(
      'where the browser goes in the end: a path of this server, or an address of an origin in `CORS_ORIGINS`; `/` when left out',
    ),
})

const beginSignIn: Operation = {
  id: 'beginSignIn',
  need: 'open',
  tag: 'access',
  summary: 'Sign in by OpenID Connect: begin',
  description:
    'For browsers: sends them to the provider that `OIDC_ISSUER` names. What comes back ends at `/sessions/oidc/callback`.',
  query: beginQuery,
  creates: true,
  answers: {
    303: {
      description: 'To the provider.',
      headers: { Location: 'of the provider', 'Set-Cookie': 'what this browser alone ends the sign-in with' },
    },
  },
  errors: ['OIDC_NOT_SET_UP', 'OIDC_FAILED', 'OIDC_UNAVAILABLE', 'METHOD_NOT_ALLOWED', 'STORE_FULL'],
}

const endSignIn: Operation = {
  id: 'endSignIn',
  need: 'open',
  tag: 'access',
  summary: 'Sign in by OpenID Connect: end',
  description:
    'The provider sends the browser here, with an answer that counts once, within ten minutes, and in the browser that began. The session is as that of `POST /sessions`. The account is made where there is none; its role is that of the groups.',
  creates: true,
  answers: {
    200: {
      description: 'A page that leads on at once.',
      headers: { 'Set-Cookie': 'the token of the session' },
      content: { [HTML_TYPE]: null },
    },
  },
  errors: [
    ...['OIDC_NOT_SET_UP', 'OIDC_STATE_INVALID', 'OIDC_DENIED', 'OIDC_NO_ROLE', 'OIDC_FAILED'],
    ...['OIDC_UNAVAILABLE', 'ACCOUNT_DISABLED', 'TOO_MANY_REQUESTS', 'OVERLOADED', 'METHOD_NOT_ALLOWED'],
    'STORE_FULL',
  ] as Operation['errors'] & object,
}

/** @throws METHOD_NOT_ALLOWED, CROSS_SITE */
const demandBrowser = (c: ApiContext): void => {
  if (c.req.method === 'HEAD') {
    c.header('Allow', 'GET, OPTIONS')
    throw new MadhavaError('METHOD_NOT_ALLOWED', 'GET changes something here, so HEAD is refused')
  }
  demandVisit(c)
}

/** @throws BAD_REQUEST for an address of somebody else: a sign-in must not lead people astray */
const demandFriendly = (returnTo: string, corsOrigins: readonly string[]): void => {
  const origin = URL.canParse(returnTo) ? new URL(returnTo).origin : null
  // written out: a blob: has the origin of its page too, and what a browser makes of `https:x` hangs on where it is
  const isFriend = origin !== null && corsOrigins.includes(origin) && returnTo.startsWith(origin)
  if (!isOwnPath(returnTo) && !isFriend)
    throw new MadhavaError(
      'BAD_REQUEST',
      'returnTo is a path of this server, such as /docs, or an address of an origin that CORS_ORIGINS names',
    )
}

const leadingPage = (address: string) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${address}">
<title>Madhava</title></head><body><p>You are logged in. <a href="${address}">Go on</a></p></body></html>`

export const signInRoutes = ({ access, clock, corsOrigins = [] }: ApiDeps): Hono<ApiEnv> =>
  new Hono<ApiEnv>()
    .get('/sessions/oidc', describe(beginSignIn), async c => {
      demandBrowser(c)
      const { returnTo } = beginQuery.read(c.req.url)
      if (returnTo !== undefined) demandFriendly(returnTo, corsOrigins)
      const { location, cookie } = await access.beginSignIn(DOOR, returnTo ?? null)
      for (const name of crowdedOut(getCookie(c))) deleteCookie(c, name, COOKIE)
      const { name, value, seconds, isSecure } = cookie
      setCookie(c, name, value, { ...COOKIE, secure: isSecure, maxAge: seconds })
      c.header('Cache-Control', 'no-store')
      return c.redirect(location, 303)
    })
    .get('/sessions/oidc/callback', describe(endSignIn), async c => {
      demandBrowser(c)
      c.header('Cache-Control', 'no-store')
      const { search, searchParams } = new URL(c.req.url)
      const own = signInCookieOf(searchParams.get('state'))
      if (own !== null && getCookie(c, own) !== undefined) deleteCookie(c, own, COOKIE)
      const answer = { door: DOOR, query: search, cookieOf: (name: string) => getCookie(c, name) } as const
      const begun = await access.endSignIn(answer, originOf(c))
      setLoginCookie(c, begun.token, secondsUntil(begun.expiresAt, clock()))
      return c.html(leadingPage(begun.returnTo ?? '/'))
    })
