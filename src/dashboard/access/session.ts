// Sessions of the built-in logins as signed cookies. Only the key and the ended sessions are stored. It knows no
// passwords and no HTTP framework. What signs is made from the key and the present credential of the login, so a new
// password ends all sessions of that login.
import { randomBytes } from 'node:crypto'
import { BUILT_IN_LOGINS, type BuiltInLogin } from '../../access/account.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { EndedSessions } from './ended-sessions.ts'
import { isSame, type Session, sign, textOf } from './signatures.ts'

export const SESSION_COOKIE = 'madhava_session'
export const SESSION_LIFETIME_MS = 12 * 60 * 60 * 1000

/** `v1.<end, milliseconds, base 36>.<random>.<signature>` */
const COOKIE = /^(v1\.([0-9a-z]{1,11})\.[A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/
/** The cookie without its signature; null for what cannot be one. */
export const bodyOfCookie = (cookie: string): string | null => COOKIE.exec(cookie)?.[1] ?? null

/** How far the clock may be corrected during a session. */
const SKEW_MS = 60_000

export interface BuiltInSession extends Session {
  /** Who logged in. */
  login: BuiltInLogin
}

export interface Sessions {
  /** The cookie value of a new session; null while there is no such login. @throws CONFIG_INVALID, STORE_UNAVAILABLE */
  begin(login?: BuiltInLogin): Promise<string | null>
  /**
   * The session of a cookie value; null if forged, expired, ended, or signed under an older password.
   * @throws STORE_UNAVAILABLE while the store is away and this process has never checked it
   */
  check(cookie: string | undefined): Promise<BuiltInSession | null>
  /** Ends it at once, for good. If it rejects, the end is not stored, but this process knows it. */
  end(cookie: string): Promise<void>
}

export interface SessionsOptions {
  key: Buffer
  /** Sessions are bound to this: see `Operator.credential`. */
  credential: (login: BuiltInLogin) => Promise<string | null>
  ended: EndedSessions
  /** The store's time, since hosts share sessions: milliseconds since 1970. */
  clock: () => number
  log: Pick<Log, 'error'>
}

/** Issues and checks cookies. */
export const createSessions = ({ key, credential, ended, clock, log }: SessionsOptions): Sessions => {
  /** Each login has its own, so that a cookie of the viewer is never one of the operator. */
  const signingKey = async (login: BuiltInLogin): Promise<Buffer | null> => {
    const bound = await credential(login)
    if (bound === null) return null
    return sign(key, login === 'operator' ? 'credential' : `credential of ${login}`, bound)
  }

  /** Logins of which it was told that they cannot be used. */
  const told = new Set<BuiltInLogin>()
  /** As `signingKey`. A login that cannot be used signs nothing, so that the way to the other one stays open. */
  const signingKeyIfUsable = async (login: BuiltInLogin): Promise<Buffer | null> => {
    try {
      const signer = await signingKey(login)
      told.delete(login)
      return signer
    } catch (error) {
      if (!isMadhavaError(error, 'CONFIG_INVALID')) throw error
      if (!told.has(login)) log.error({ login, error }, 'a login cannot be used')
      told.add(login)
      return null
    }
  }

  /** Whose signature it is; null: nobody's. */
  const signerOf = async (
    body: string,
    signature: string,
  ): Promise<{ login: BuiltInLogin; signer: Buffer } | null> => {
    for (const login of BUILT_IN_LOGINS) {
      const signer = await signingKeyIfUsable(login)
      if (signer && isSame(textOf(sign(signer, 'session', body)), signature)) return { login, signer }
    }
    return null
  }

  return {
    async begin(login = 'operator') {
      const signer = await signingKey(login)
      if (!signer) return null
      const expiresAt = clock() + SESSION_LIFETIME_MS
      const body = `v1.${expiresAt.toString(36)}.${randomBytes(16).toString('base64url')}`
      ended.begun({ body, expiresAt })
      return `${body}.${textOf(sign(signer, 'session', body))}`
    },

    async check(cookie) {
      const [, body, end, signature] = COOKIE.exec(cookie ?? '') ?? []
      if (body === undefined || end === undefined || signature === undefined) return null
      const expiresAt = Number.parseInt(end, 36)
      const leftMs = expiresAt - clock()
      // more than a lifetime is left if it began while the clock was ahead; it would last too long
      if (leftMs <= 0 || leftMs > SESSION_LIFETIME_MS + SKEW_MS) return null
      const signed = await signerOf(body, signature)
      // a forged cookie costs a read of each login; only what was signed here is looked up among the ended ones
      if (!signed || (await ended.has({ body, expiresAt }))) return null
      return { expiresAt, formToken: textOf(sign(signed.signer, 'form', body)), login: signed.login }
    },

    async end(cookie) {
      const [, body, end] = COOKIE.exec(cookie) ?? []
      if (body === undefined || end === undefined) return
      const latest = clock() + SESSION_LIFETIME_MS + SKEW_MS
      await ended.add({ body, expiresAt: Math.min(Number.parseInt(end, 36), latest) })
    },
  }
}
