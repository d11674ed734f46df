// The cookies of sign-ins that have begun, for both doors: what a browser is told to keep, and to forget. It knows no
// HTTP framework.
import type { OidcDoor } from '../access.ts'
import { SIGN_IN_COOKIE } from './attempt.ts'
import { SIGN_IN_PATH } from './options.ts'

/** How many sign-ins one browser may have begun: with more, its headers would grow too long for the server. */
const BEGUN_MAX = 4
/** What those may have together to which one more comes, for the same reason: the one to return to may be a long address. */
const OTHERS_BYTES_MAX = 4_000

/** Lax: the browser comes back from another site, and brings it all the same. */
export const signInCookieOptions = (door: OidcDoor) =>
  ({ path: SIGN_IN_PATH[door], httpOnly: true, sameSite: 'Lax' }) as const

/** The cookies of a browser that make room for one more. @param cookies all that it has shown, the oldest first */
export const crowdedOut = (cookies: Readonly<Record<string, string>>): string[] => {
  let bytes = 0
  return Object.entries(cookies)
    .filter(([name]) => name.startsWith(SIGN_IN_COOKIE))
    .reverse()
    .filter(([name, value], n) => {
      bytes += name.length + value.length
      return n >= BEGUN_MAX - 1 || bytes > OTHERS_BYTES_MAX
    })
    .map(([name]) => name)
}
