// Logins of accounts by name and password: from the form, and from programs with HTTP basic auth, which have a session
// that they do not know of. It knows no cookies and no headers.
import { createHmac, randomBytes } from 'node:crypto'
import type { Access, Origin } from '../../access/access.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { PeopleSessions } from './people-sessions.ts'
import type { Who } from './rights.ts'

export interface Pair {
  name: string
  password: string
}

export interface PeoplePasswords {
  /**
   * Begins a session. Null: name or password is wrong.
   * @throws TOO_MANY_REQUESTS with `detail.retryAfterSeconds`; STORE_UNAVAILABLE, STORE_FULL
   */
  logIn(pair: Pair, origin: Origin): Promise<{ token: string; expiresAt: number } | null>
  /** As `logIn`, for a program. A pair that was right is not hashed again while its session lasts. */
  basic(pair: Pair, origin: Origin): Promise<Who | null>
}

export interface PeoplePasswordsOptions {
  access: Pick<Access, 'logIn'>
  sessions: PeopleSessions
}

/** Programs whose sessions are remembered; the one that asked last is the last. */
const REMEMBERED_MAX = 64

export const createPeoplePasswords = ({ access, sessions }: PeoplePasswordsOptions): PeoplePasswords => {
  const logIn: PeoplePasswords['logIn'] = async (pair, origin) => {
    try {
      const { token, expiresAt } = await access.logIn(pair, origin)
      return { token, expiresAt: Date.parse(expiresAt) }
    } catch (error) {
      if (isMadhavaError(error, 'LOGIN_WRONG')) return null
      throw error
    }
  }

  // nobody learns a password from what is remembered: the key is this process's own
  const key = randomBytes(32)
  const markOf = ({ name, password }: Pair): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([name, password]))
      .digest('hex')
  /** The token of each. A new password ends the session, so the old pair is of no use from then on. */
  const remembered = new Map<string, string>()
  const asking = new Map<string, Promise<Who | null>>()

  const remember = (mark: string, token: string): void => {
    remembered.delete(mark)
    remembered.set(mark, token)
    for (const [old, left] of [...remembered].slice(0, -REMEMBERED_MAX)) {
      remembered.delete(old)
      // it would stand among the sessions of the account until it is over
      sessions.end(left).catch(() => {})
    }
  }

  const ask = async (mark: string, pair: Pair, origin: Origin): Promise<Who | null> => {
    const known = remembered.get(mark)
    const before = known === undefined ? null : await sessions.check(known)
    if (known !== undefined && before) {
      remember(mark, known)
      return before.who
    }
    remembered.delete(mark)
    const begun = await logIn(pair, origin)
    if (!begun) return null
    remember(mark, begun.token)
    return (await sessions.check(begun.token))?.who ?? null
  }

  return {
    logIn,

    async basic(pair, origin) {
      const mark = markOf(pair)
      // requests of one program at the same time are one try
      const asked = asking.get(mark) ?? ask(mark, pair, origin)
      asking.set(mark, asked)
      return asked.finally(() => {
        if (asking.get(mark) === asked) asking.delete(mark)
      })
    },
  }
}
