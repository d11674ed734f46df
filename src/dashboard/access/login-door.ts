// What every way in at the dashboard shares: the page that it stands on, the cookie that it gives, and the end of what
// the browser had before.
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { Access } from '../../access/access.ts'
import { LOGIN_COOKIE } from '../../api/identify.ts'
import { languageOf, themeOf } from '../page-look.ts'
import { type LoginForm, leadingPage, loginPage, type Markup } from '../plain-pages.ts'
import type { WebFiles } from '../web-files.ts'
import type { LoginWatches } from './login-watch.ts'
import type { PeopleSessions } from './people-sessions.ts'
import { SESSION_COOKIE } from './session.ts'

export interface LoginDoor {
  /** The page of the login. */
  show(c: Context, form: Partial<LoginForm> & Pick<LoginForm, 'next'>): Markup
  /** A page of this site that goes on to an address by itself. */
  lead(c: Context, address: string): Markup
  /** Gives the browser a session of an account. @param expiresAt milliseconds since 1970 */
  keepToken(c: Context, token: string, expiresAt: number): void
  /** Ends both sessions that the browser has shown. @throws STORE_UNAVAILABLE */
  endAll(c: Context): Promise<void>
}

export interface LoginDoorOptions {
  access: Pick<Access, 'registration' | 'oidc'>
  logins: Pick<LoginWatches, 'end'>
  people: Pick<PeopleSessions, 'end'>
  web: Pick<WebFiles, 'style' | 'icon'>
  /** The store's time, milliseconds since 1970. */
  now: () => number
}

export const COOKIE = {
  path: '/',
  httpOnly: true,
  sameSite: 'Strict',
  // Not `Secure`: the server speaks plain HTTP, where browsers would drop such a cookie. It cannot know whether a
  // proxy ends TLS, since anyone can send the headers that say so.
  secure: false,
} as const

/** Takes a cookie away that the browser has shown. */
export const forget = (c: Context, cookie: string): void => {
  if (getCookie(c, cookie) !== undefined) deleteCookie(c, cookie, COOKIE)
}

export const createLoginDoor = ({ access, logins, people, web, now }: LoginDoorOptions): LoginDoor => {
  const { registration, oidc } = access
  const provider = oidc?.doors.includes('dashboard') ? oidc.name : null
  const lookOf = (c: Context) => ({ web, language: languageOf(c), theme: themeOf(c) })
  return {
    show: (c, form) =>
      loginPage(lookOf(c), {
        problem: null,
        leadsToRegister: registration !== 'closed',
        provider,
        ...form,
      }),

    lead: (c, address) => leadingPage(lookOf(c), address),

    keepToken(c, token, expiresAt) {
      const maxAge = Math.max(0, Math.ceil((expiresAt - now()) / 1000))
      setCookie(c, LOGIN_COOKIE, token, { ...COOKIE, maxAge })
    },

    async endAll(c) {
      const [signed, token] = [getCookie(c, SESSION_COOKIE), getCookie(c, LOGIN_COOKIE)]
      await Promise.all([signed && logins.end(signed), token && people.end(token)])
    },
  }
}
