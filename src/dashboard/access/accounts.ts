// Finds out who a name and a password belong to: from the login form, or from HTTP basic auth of a program.
import { createHmac, randomBytes } from 'node:crypto'
import type { BuiltInLogin } from '../../access/account.ts'
import type { LoginLimit } from '../../access/login-limit.ts'
import type { AuditRecorder } from '../../core/audit-recorder.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Operator } from './operator.ts'
import type { LoggedIn } from './rights.ts'

export interface Accounts {
  /**
   * Null: name or password is wrong. Takes the same time for any wrong pair.
   * @throws TOO_MANY_REQUESTS with `detail.retryAfterSeconds` when the address tries too often; CONFIG_INVALID,
   * STORE_UNAVAILABLE as `Operator.verify`
   */
  login(name: string, password: string, address: string | null): Promise<LoggedIn | null>
  /** As `login`, for the header `Authorization: Basic ...`. A pair that was right lately is not hashed again. */
  basic(header: string, address: string | null): Promise<LoggedIn | null>
  /** As `Operator.credential`. */
  credential(role: BuiltInLogin): Promise<string | null>
}

export interface AccountsOptions {
  operator: Operator
  /** Null: nobody but the operator. */
  viewer: Operator | null
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

/** Name and password; null for what is none. */
const readBasic = (header: string): { name: string; password: string } | null => {
  const encoded = BASIC.exec(header)?.[1]
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

export const createAccounts = ({ operator, viewer, limit, audit, log, clock }: AccountsOptions): Accounts => {
  const accountOf = (role: BuiltInLogin): Operator | null => (role === 'viewer' ? viewer : operator)
  const credential = async (role: BuiltInLogin): Promise<string | null> =>
    (await accountOf(role)?.credential()) ?? null

  const login: Accounts['login'] = async (name, password, address) => {
    const from = address ?? NOWHERE
    const wait = limit.take(from, name)
    if (wait > 0) {
      log.warn({ address }, 'a login was put off: too many tries')
      throw new MadhavaError('TOO_MANY_REQUESTS', `Too many tries. Wait ${wait} seconds and try again`, {
        detail: { retryAfterSeconds: wait },
      })
    }
    const role: BuiltInLogin = name === 'viewer' && viewer ? 'viewer' : 'operator'
    const account = accountOf(role) ?? operator
    if (!(await account.verify(name, password, limit.tries(from)))) {
      log.warn({ address }, 'a login failed')
      // a name that is nobody's may be a password in the wrong field
      const about = name === role ? role : null
      const by = { actor: null, via: 'dashboard', address } as const
      await audit.note(by, 'login.failed', [about], { outcome: 'LOGIN_WRONG' })
      return null
    }
    limit.forgive(from, name)
    return { name: role, role }
  }

  // nobody learns a password from what is remembered: the key is this process's own
  const key = randomBytes(32)
  const remembered = new Map<string, { who: LoggedIn; until: number }>()
  const asking = new Map<string, Promise<LoggedIn | null>>()

  return {
    login,
    credential,

    async basic(header, address) {
      const pair = readBasic(header)
      if (!pair) return null
      const bound = await credential(pair.name === 'viewer' ? 'viewer' : 'operator')
      // with the credential: a new password is valid at once, and the old one no longer
      const mark = createHmac('sha256', key)
        .update(JSON.stringify([pair.name, pair.password, bound]))
        .digest('hex')
      const known = remembered.get(mark)
      if (known && known.until > clock()) return known.who
      // requests of one program at the same time are one try
      const asked = asking.get(mark) ?? login(pair.name, pair.password, address)
      asking.set(mark, asked)
      const who = await asked.finally(() => asking.delete(mark))
      if (!who) return null
      remembered.delete(mark)
      remembered.set(mark, { who, until: clock() + REMEMBERED_MS })
      for (const old of [...remembered.keys()].slice(0, -REMEMBERED_MAX)) remembered.delete(old)
      return who
    },
  }
}
