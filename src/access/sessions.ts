// Logging in and out, and the sessions of an account. Passwords are compared in the guard's turn; new ones are set in
// change-password.ts.

import type { TypedDocument } from '../core/collection.ts'
import type { Session } from '../core/credential-forms.ts'
import { ADDRESS_MAX, AGENT_MAX } from '../core/credential-forms.ts'
import { cutText } from '../core/cut-text.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Access, Origin } from './access.ts'
import {
  type AccountDocument,
  isBoundTo,
  isUsable,
  passwordInEffect,
  passwordMark,
  showAccount,
} from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import type { Guard } from './guard.ts'
import { normalName } from './name-rules.ts'
import type { Names } from './names.ts'
import { passwordText } from './password-rules.ts'
import { hashOfNone, isPassword } from './passwords.ts'
import { isTokenId, newToken } from './tokens.ts'
import { personOf, sessionOf } from './who.ts'

interface SessionsDeps {
  accounts: AccountStore
  names: Names
  credentials: Credentials
  guard: Guard
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info' | 'warn'>
}

const LIFETIME_MS = 12 * 60 * 60 * 1000
/** Of one account. A program that logs in again and again ends its own oldest ones. */
const SESSIONS_MAX = 100

const cutOr = (text: string | null, units: number): string | null =>
  text === null ? null : cutText(text, units)

export const createSessionCalls = ({
  accounts,
  names,
  credentials,
  guard,
  clock,
  log,
}: SessionsDeps): Pick<Access, 'logIn' | 'logOut' | 'sessions' | 'endSession'> => {
  const { sessions, sessionsOf, hasExpired } = credentials
  // where there is no such account every password is wrong, which takes as long to find out
  const none = hashOfNone()

  const isValid = (session: TypedDocument<Session>, account: AccountDocument): boolean =>
    !hasExpired(session) && isBoundTo(session.data, account.data)

  const remove = async ({ name, rev }: TypedDocument<Session>): Promise<void> => {
    await sessions.remove(name, rev).catch((error: unknown) => {
      // somebody else has ended it, or has given it another end
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
  }

  /** Makes room for one more: what has ended goes, then the oldest. */
  const makeRoom = async (account: AccountDocument): Promise<void> => {
    const all = await sessionsOf(account.name)
    if (all.length < SESSIONS_MAX) return
    const [valid, ended] = [
      all.filter(one => isValid(one, account)),
      all.filter(one => !isValid(one, account)),
    ]
    const oldest = valid
      .sort((a, b) => (a.data.createdAt < b.data.createdAt ? -1 : 1))
      .slice(0, Math.max(0, valid.length - SESSIONS_MAX + 1))
    for (const one of [...ended, ...oldest]) await remove(one)
  }

  const begin = async (account: AccountDocument, { address, agent }: Origin) => {
    await makeRoom(account)
    const { id, token, hash } = newToken('session', account.name)
    const now = clock()
    const expiresAt = new Date(now.getTime() + LIFETIME_MS).toISOString()
    const data = {
      account: account.name,
      hash,
      password: passwordMark(account.data),
      createdAt: now.toISOString(),
      address: cutOr(address, ADDRESS_MAX),
      agent: cutOr(agent, AGENT_MAX),
    }
    await sessions.put(id, { data, expiresAt }, null)
    return { token, expiresAt }
  }

  return {
    async logIn({ name, password }, origin) {
      const tried = { address: origin.address, about: normalName(name) }
      await guard.count(tried)
      const { found, isRight } = await guard.inTurn(tried, async () => {
        const account = await names.find(name)
        const expected = account && isUsable(account.data) ? passwordInEffect(account.data) : null
        const isSame = await isPassword(passwordText(account?.name ?? '', password), expected ?? none)
        return { found: account, isRight: isSame && expected !== null }
      })
      if (!found || !isRight) {
        // a name that is nobody's may be a password in the wrong field
        log.warn({ account: found?.data.name ?? null, address: origin.address }, 'a login failed')
        throw new MadhavaError('LOGIN_WRONG')
      }
      guard.forgive(tried)
      const session = await begin(found, origin)
      log.info({ account: found.data.name, address: origin.address }, 'somebody logged in')
      return { ...session, account: showAccount(found) }
    },

    async logOut(actor) {
      await sessions.remove(sessionOf(actor), 'any')
      log.info({ account: actor.name }, 'somebody logged out')
    },

    async sessions(actor) {
      const account = await accounts.usable(personOf(actor))
      if (!account) throw new MadhavaError('UNAUTHORIZED')
      const current = actor.credential?.id ?? null
      return (await sessionsOf(account.name))
        .filter(session => isValid(session, account))
        .map(({ name: id, expiresAt, data: { createdAt, address, agent } }) => ({
          id,
          createdAt,
          expiresAt: expiresAt ?? createdAt,
          address,
          agent,
          current: id === current,
        }))
    },

    async endSession(actor, id) {
      const account = personOf(actor)
      const all = isTokenId(id) ? await sessionsOf(account) : []
      const session = all.find(({ name }) => name === id)
      if (!session || hasExpired(session)) throw new MadhavaError('SESSION_NOT_FOUND')
      await sessions.remove(id, 'any')
    },
  }
}
