// A login at the dashboard: its password is checked, slowly and one at a time. It knows no HTTP and no sessions, and
// makes no passwords.

import { type BuiltInLogin, passwordInEffect } from '../../access/account.ts'
import { createCheckQueue } from '../../access/check-queue.ts'
import { hashOfNone, isPassword } from '../../access/passwords.ts'
import type { Account } from '../../core/account-forms.ts'
import type { Semaphore } from '../../core/async/semaphore.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { type Login, openLogins } from './logins.ts'

export interface Operator {
  /**
   * Whether name and password are right. Takes the same time for any wrong pair.
   * @param tries how often the client has tried lately; of waiting checks the one with the fewest tries is next
   * @throws TOO_MANY_REQUESTS when too many wait to be checked, CONFIG_INVALID when the login's document cannot be
   * used, STORE_UNAVAILABLE when the store is away and this process has never read the login
   */
  verify(name: string, password: string, tries?: number): Promise<boolean>
  /**
   * A secret that changes with the password; sessions are bound to it. Null while there is no such login.
   * @throws CONFIG_INVALID, STORE_UNAVAILABLE, as `verify`
   */
  credential(): Promise<string | null>
}

/**
 * Reads a login afresh each time. While the store is away, it answers what it read last, since the dashboard is wanted
 * most just then.
 */
const createReader = (documents: Documents, role: BuiltInLogin): (() => Promise<Account | null>) => {
  const logins = openLogins(documents)
  let last: { login: Login | null } | null = null
  return async () => {
    try {
      const login = await logins.get(role)
      // of two reads at once the older one may answer last
      if (!login || !last?.login || login.rev >= last.login.rev) last = { login }
      return login?.data ?? null
    } catch (error) {
      if (last && isMadhavaError(error, 'STORE_UNAVAILABLE')) return last.login?.data ?? null
      throw error
    }
  }
}

/** A login, for the dashboard. A new password is valid at once, in every process. */
export const openOperator = (
  documents: Documents,
  role: BuiltInLogin = 'operator',
  inTurn: Semaphore = createCheckQueue(),
): Operator => {
  const read = createReader(documents, role)
  // Without such a login every password is wrong, which takes as long to find out.
  const none = hashOfNone()
  return {
    verify: (name, password, tries = 0) =>
      inTurn(async () => {
        const account = await read()
        const expected = (account && passwordInEffect(account)) ?? none
        const same = await isPassword(password, expected)
        return same && name === role
      }, tries),

    async credential() {
      const account = await read()
      const expected = account && passwordInEffect(account)
      return account && expected && `${account.changes}.${expected.salt}.${expected.hash}`
    },
  }
}
