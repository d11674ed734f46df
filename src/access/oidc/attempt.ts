// A sign-in that has begun, and waits for its browser to come back from the provider. The browser itself carries it, in
// a sealed cookie: strangers begin as many as they like and fill no store, and another host can end what one began.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import type { OidcDoor, SignInCookie } from '../access.ts'
import type { TextSeal } from '../sealed-text.ts'
import { isSameHash } from '../tokens.ts'

export interface Attempt {
  /** Goes to the provider and comes back. */
  state: string
  /** Stands in the ID token. */
  nonce: string
  /** Of PKCE: whoever has the code alone can do nothing with it. */
  verifier: string
  returnTo: string | null
  /** Milliseconds since 1970. */
  until: number
}

export interface Attempts {
  /** @throws STORE_UNAVAILABLE, STORE_FULL */
  begin(
    door: OidcDoor,
    returnTo: string | null,
  ): Promise<{ attempt: Attempt; cookie: Omit<SignInCookie, 'isSecure'> }>
  /**
   * The attempt that came back with this state, by the cookie of the browser. It does not end it: see
   * ended-attempts.ts. @throws OIDC_STATE_INVALID, STORE_UNAVAILABLE
   */
  open(door: OidcDoor, state: string, cookie: string | undefined): Promise<Attempt>
}

interface AttemptsDeps {
  seal: () => Promise<TextSeal>
  /** The client at its provider: what began at one must not end at another, which would be shown the code. */
  client: string
  /** The store's. */
  clock: () => Date
}

const LIFETIME_MS = 10 * 60_000
/** How far the clock may be corrected meanwhile. */
const SKEW_MS = 60_000
const SECRET_BYTES = 32
const STATE = /^[A-Za-z0-9_-]{43}$/
/** A browser keeps at most 4,096 bytes of a cookie. */
const COOKIE_MAX = 4_000

/** Each attempt has a cookie of its own, so that two tabs do not end each other's. */
export const SIGN_IN_COOKIE = 'madhava_sign_in_'
const NAME_PART = 12

/** The name of the cookie of an attempt, by the state that came back; null: it is none. */
export const signInCookieOf = (state: string | null): string | null =>
  state !== null && STATE.test(state) ? SIGN_IN_COOKIE + state.slice(0, NAME_PART) : null

const attemptSchema = z.object({
  state: z.string().regex(STATE),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string().nullable(),
  until: z.number(),
}) satisfies z.ZodType<Attempt>

const aboutOf = (door: OidcDoor, client: string): string => JSON.stringify([door, client])
const invalid = (): MadhavaError => new MadhavaError('OIDC_STATE_INVALID')
const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url')

export const createAttempts = ({ seal, client, clock }: AttemptsDeps): Attempts => ({
  async begin(door, returnTo) {
    const attempt: Attempt = {
      state: newSecret(),
      nonce: newSecret(),
      verifier: newSecret(),
      returnTo,
      until: clock().getTime() + LIFETIME_MS,
    }
    const value = (await seal()).seal(JSON.stringify(attempt), aboutOf(door, client))
    const name = signInCookieOf(attempt.state)
    if (name === null || value.length > COOKIE_MAX)
      throw new MadhavaError('BAD_REQUEST', 'The address to return to is too long')
    return { attempt, cookie: { name, value, seconds: LIFETIME_MS / 1000 } }
  },

  async open(door, state, cookie) {
    if (cookie === undefined || cookie.length > COOKIE_MAX) throw invalid()
    const text = (await seal()).open(cookie, aboutOf(door, client))
    const parsed = text === null ? null : attemptSchema.safeParse(JSON.parse(text))
    if (!parsed?.success || !isSameHash(parsed.data.state, state)) throw invalid()
    const leftMs = parsed.data.until - clock().getTime()
    // more is left than a lifetime if it began while the clock was ahead; it would last too long
    if (leftMs <= 0 || leftMs > LIFETIME_MS + SKEW_MS) throw invalid()
    return parsed.data
  },
})
