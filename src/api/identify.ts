// Who sends a request: a key or a session's token in `Authorization: Bearer`, else a session's cookie, else nobody. The
// routes say what each needs (operation.ts).
import type { MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'
import type { Access } from '../access/access.ts'
import type { Actor, Scope } from '../core/actor.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { actorAt, demand, strangerOf } from '../core/policy.ts'
import { type ApiContext, type ApiEnv, originOf } from './context.ts'

/** The cookie of a login. Its value is the session's token. */
export const LOGIN_COOKIE = 'madhava_login'

/**
 * What a route needs: a scope; any login; `anyone`: a login only where one is shown; `open`: nothing, not even that
 * what is shown is valid.
 */
export type Need = Scope | 'login' | 'anyone' | 'open'

/** Other schemes are those of a proxy in front, and say nothing here. */
const BEARER = /^Bearer +(\S{1,500}) *$/i

/** Where a ticket in the query stands for a login: a cookie that a browser sends beside it says nothing then. */
const TAKES_TICKETS = '/ws'

/** What was shown; null: nothing. */
const shownIn = (c: ApiContext): string | null => {
  if (c.req.path === TAKES_TICKETS && c.req.query('ticket') !== undefined) return null
  const header = c.req.header('authorization')
  if (header !== undefined && /^Bearer\b/i.test(header)) return BEARER.exec(header)?.[1] ?? ''
  // a page of another origin may show a key, and never borrows the login of its user
  if (c.get('friend')) return null
  return getCookie(c, LOGIN_COOKIE) ?? null
}

/** That it answers is the answer: nobody is asked who they are, since that needs the store. */
const ASKS_NOBODY = '/livez'

/**
 * Sets the actor. Never throws: what is wrong with a login matters only to routes that need one.
 * `c.env.actor` is who asks where another door has found it out.
 */
export const identify =
  (access: Pick<Access, 'identify' | 'stranger'>): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const known = c.env?.actor
    const shown = known || c.req.path === ASKS_NOBODY ? null : shownIn(c)
    try {
      const actor = shown === null ? access.stranger('rest') : await access.identify(shown, 'rest')
      c.set('actor', known ?? actorAt(actor, originOf(c).address))
    } catch (error) {
      c.set('actor', strangerOf('none', 'rest'))
      c.set('refusal', error)
    }
    await next()
  }

const demandLogin = ({ account }: Actor): void => {
  if (account === null)
    throw new MadhavaError('UNAUTHORIZED', 'Log in or send a key: this is about an account')
}

/** @throws UNAUTHORIZED, SCOPE_MISSING; STORE_UNAVAILABLE when it could not be found out who asks */
export const demandNeed = (c: ApiContext, need: Need): void => {
  if (need === 'open') return
  const refusal = c.get('refusal')
  if (refusal !== undefined) throw refusal
  if (need === 'anyone') return
  const actor = c.get('actor')
  if (need === 'login') demandLogin(actor)
  else demand(actor, need)
}

/**
 * For an operation that is open, and does something for who is logged in.
 * @throws STORE_UNAVAILABLE and the like when it could not be found out who asks
 */
export const demandAnswer = (c: ApiContext): void => {
  const refusal = c.get('refusal')
  if (refusal !== undefined && !isMadhavaError(refusal, 'UNAUTHORIZED')) throw refusal
}

/** The challenge of a 401 (RFC 6750). */
export const challengeFor = (c: ApiContext): string => {
  const isShown = isMadhavaError(c.get('refusal'), 'UNAUTHORIZED')
  return `Bearer realm="madhava"${isShown ? ', error="invalid_token"' : ''}`
}
