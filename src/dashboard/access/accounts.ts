// Finds out who a name and a password belong to: from the login form, or from HTTP basic auth of a program. The names of
// the built-in logins are tried here, so that they get in while the store is away; any other one in people-passwords.ts.
import { createHmac, randomBytes } from 'node:crypto'
import type { Origin } from '../../access/access.ts'
import { type BuiltInLogin, ROLE_OF_LOGIN } from '../../access/account.ts'
import type { LoginLimit } from '../../access/login-limit.ts'
import type { AuditRecorder } from '../../core/audit-recorder.ts'
import { MadhavaError } from '../../core/errors.ts'
import { actorOf } from '../../core/policy.ts'
import type { Log } from '../../platform/log.ts'
import type { Operator } from './operator.ts'
import type { Pair, PeoplePasswords } from './people-passwords.ts'
import { type Who, whoIs } from './rights.ts'

/** A login that was right: the built-in one, or the session that has begun. */
export type Entered = { login: BuiltInLogin } | { token: string; expiresAt: number }

export interface Accounts {
  /**
   * Null: name or password is wrong. Takes the same time for any wrong pair.
   * @throws TOO_MANY_REQUESTS with `detail.retryAfterSeconds` when the address tries too often; CONFIG_INVALID,
   * STORE_UNAVAILABLE as `Operator.verify`
   */
  logIn(pair: Pair, origin: Origin): Promise<Entered | null>
  /**
   * As `logIn`, for the header `Authorization: Basic ...`. A pair that was right lately is not hashed again.
   * `bound`: of a built-in login, its credential; another one later ends it.
   */
  basic(header: string, origin: Origin): Promise<{ who: Who; bound: string | null } | null>
  /** As `Operator.credential`. */
  credential(login: BuiltInLogin): Promise<string | null>
}

export interface AccountsOptions {
  operator: Operator
  /** Null: nobody but the operator. */
  viewer: Operator | null
  people: PeoplePasswords
  limit: LoginLimit
  audit: Pick<AuditRecorder, 'note'>
  log: Log
  /** Milliseconds of a monotonic clock. */
  clock: () => number
}

/** A program asks several times a second, and a hash takes a fifth of one. */
const REMEMBERED_MS = 5 * 60_000
const REMEMBERED_MAX = 16
/** For the limit of tries: all whose address is not known are one. */
const NOWHERE = 'unknown'
const BASIC = /^Basic +([A-Za-z0-9+/]{1,1400}={0,2}) *$/i

/** Who has a built-in login: it shows no credential that the APIs know. */
export const whoOfLogin = (login: BuiltInLogin): Who => {
  const account = { id: login, name: login, role: ROLE_OF_LOGIN[login] }
  const who = whoIs(actorOf(account, { via: 'dashboard', credential: null, bounds: null }))
  if (!who) throw new MadhavaError('INTERNAL')
  return who
}

/** Name and password; null for what is none. */
const readBasic = (header: string): Pair | null => {
  const encoded = BASIC.exec(header)?.[1]
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

export const createAccounts = ({
  operator,
  viewer,
  people,
  limit,
  audit,
  log,
  clock,
}: AccountsOptions): Accounts => {
  const logins: Readonly<Record<BuiltInLogin, Operator | null>> = { operator, viewer }
  const builtInOf = (name: string): BuiltInLogin | null =>
    name === 'operator' || (name === 'viewer' && viewer) ? name : null
  const credential = async (login: BuiltInLogin): Promise<string | null> =>
    (await logins[login]?.credential()) ?? null

  const verify = async (
    login: BuiltInLogin,
    { password }: Pair,
    { address: from }: Origin,
  ): Promise<boolean> => {
    const address = from ?? NOWHERE
    const wait = limit.take(address, login) || (await limit.takeEverywhere(address, login))
    if (wait > 0) {
      log.warn({ address }, 'a login was put off: too many tries')
      throw new MadhavaError('TOO_MANY_REQUESTS', `Too many tries. Wait ${wait} seconds and try again`, {
        detail: { retryAfterSeconds: wait },
      })
    }
    if (!(await logins[login]?.verify(login, password, limit.tries(address)))) {
      log.warn({ address }, 'a login failed')
      const by = { actor: null, via: 'dashboard', address: from } as const
      await audit.note(by, 'login.failed', [login], { outcome: 'LOGIN_WRONG' })
      return false
    }
    limit.forgive(address, login)
    return true
  }

  // nobody learns a password from what is remembered: the key is this process's own
  const key = randomBytes(32)
  const remembered = new Map<string, number>()
  const asking = new Map<string, Promise<boolean>>()

  /** Whether a program's pair is right. @param bound the credential that it would be bound to */
  const isRight = async (
    login: BuiltInLogin,
    pair: Pair,
    origin: Origin,
    bound: string | null,
  ): Promise<boolean> => {
    // with the credential: a new password is valid at once, and the old one no longer
    const mark = createHmac('sha256', key)
      .update(JSON.stringify([login, pair.password, bound]))
      .digest('hex')
    if ((remembered.get(mark) ?? 0) > clock()) return true
    // requests of one program at the same time are one try
    const asked = asking.get(mark) ?? verify(login, pair, origin)
    asking.set(mark, asked)
    if (!(await asked.finally(() => asking.delete(mark)))) return false
    remembered.delete(mark)
    remembered.set(mark, clock() + REMEMBERED_MS)
    for (const old of [...remembered.keys()].slice(0, -REMEMBERED_MAX)) remembered.delete(old)
    return true
  }

  return {
    credential,

    async logIn(pair, origin) {
      const login = builtInOf(pair.name)
      if (login === null) return people.logIn(pair, origin)
      return (await verify(login, pair, origin)) ? { login } : null
    },

    async basic(header, origin) {
      const pair = readBasic(header)
      if (!pair) return null
      const login = builtInOf(pair.name)
      if (login === null) {
        const who = await people.basic(pair, origin)
        return who && { who, bound: null }
      }
      const bound = await credential(login)
      return (await isRight(login, pair, origin, bound)) ? { who: whoOfLogin(login), bound } : null
    },
  }
}
