// The cookies of sign-ins that have begun, for both doors: what a browser is told to keep, and to forget. It knows no
// HTTP framework.
import type { OidcDoor } from '../access.ts'
import { SIGN_IN_COOKIE } from './attempt.ts'
import { SIGN_IN_PATH } from './options.ts'

/** How many sign-ins one browser may have begun: with more, its headers would grow too long for the server. */
const BEGUN_MAX = 4

/** Lax: the browser comes back from another site, and brings it all the same. */
export const signInCookieOptions = (door: OidcDoor) =>
  ({ path: SIGN_IN_PATH[door], httpOnly: true, sameSite: 'Lax' }) as const

/** The cookies of a browser that make room for one more. @param names of all its cookies, the oldest first */
export const crowdedOut = (names: readonly string[]): string[] =>
  names.filter(name => name.startsWith(SIGN_IN_COOKIE)).slice(0, -(BEGUN_MAX - 1))
