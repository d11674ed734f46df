// Logging in and out, and the sessions of an account. Passwords are compared in the guard's turn; new ones are set in
// change-password.ts, and sessions begin in session-begin.ts.

import { MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Access } from './access.ts'
import { isUsable, passwordInEffect, showAccount } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import type { Guard } from './guard.ts'
import { normalName } from './name-rules.ts'
import type { Names } from './names.ts'
import { passwordText } from './password-rules.ts'
import { hashOfNone, isPassword } from './passwords.ts'
import { type BeginSession, isValidSession } from './session-begin.ts'
import { isTokenId } from './tokens.ts'
import { personOf, sessionOf } from './who.ts'

interface SessionsDeps {
  accounts: AccountStore
  names: Names
  credentials: Credentials
  beginSession: BeginSession
  guard: Guard
  log: Pick<Log, 'info' | 'warn'>
}

export const createSessionCalls = ({
  accounts,
  names,
  credentials,
  beginSession,
  guard,
  log,
}: SessionsDeps): Pick<Access, 'logIn' | 'logOut' | 'sessions' | 'endSession'> => {
  const { sessions, sessionsOf, hasExpired } = credentials
  // where there is no such account every password is wrong, which takes as long to find out
  const none = hashOfNone()

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
      const session = await beginSession(found, origin)
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
        .filter(session => isValidSession(session, account, hasExpired))
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
