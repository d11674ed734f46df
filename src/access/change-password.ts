// An account gets another password: from its owner, who knows the present one. The write ends all sessions at once,
// since they are bound to the password; the one that asked is bound to the new one before it, so that it never ends.
import { orIfInvalid, type TypedDocument } from '../core/collection.ts'
import type { Session } from '../core/credential-forms.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Access } from './access.ts'
import { isUsable, passwordInEffect, passwordMark, withPasswords } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import type { Guard } from './guard.ts'
import { normalName } from './name-rules.ts'
import { checkPassword, passwordText } from './password-rules.ts'
import { hashPassword, isPassword } from './passwords.ts'
import { personOf, sessionOf } from './who.ts'

interface ChangePasswordDeps {
  accounts: AccountStore
  credentials: Credentials
  guard: Guard
  log: Pick<Log, 'info' | 'warn'>
}

export const createChangePassword = ({
  accounts,
  credentials: { sessions, read },
  guard,
  log,
}: ChangePasswordDeps): Access['changePassword'] => {
  /** @throws DOCUMENT_CHANGED when the session was ended meanwhile, or bound by another change */
  const bind = (
    { name, rev, expiresAt, data: { nextPassword: _, ...rest } }: TypedDocument<Session>,
    marks: Pick<Session, 'password' | 'nextPassword'>,
  ): Promise<TypedDocument<Session>> =>
    sessions.put(name, { data: { ...rest, ...marks } as Session, expiresAt }, rev)

  /** Why a change comes too late: the session has ended, or has set another password itself just now. */
  const tooLate = async (id: string): Promise<MadhavaError> =>
    (await read({ type: 'session', id }))
      ? new MadhavaError('LOGIN_WRONG', 'The present password was changed just now')
      : new MadhavaError('UNAUTHORIZED')

  return async (actor, { password, newPassword }, { address }) => {
    const id = personOf(actor)
    const session = sessionOf(actor)
    // before the account: what another change makes of both meanwhile, the write of the session tells
    const found = await orIfInvalid(sessions.get(session), () => null)
    const valid = await read({ type: 'session', id: session })
    if (!found || valid?.account.name !== id) throw new MadhavaError('UNAUTHORIZED')
    const before = valid.account.data
    if (before.configured !== null) throw new MadhavaError('PASSWORD_IS_SETTING')
    if (passwordInEffect(before) === null)
      throw new MadhavaError(
        'PASSWORD_NOT_SET',
        'This account has no password: its owner signs in by OpenID Connect. An admin may give it one',
      )
    checkPassword(newPassword, before.name)
    const tried = { address, about: normalName(before.name) }
    await guard.count(tried)
    const hash = await guard.inTurn(tried, async () => {
      const expected = passwordInEffect(before)
      if (!expected || !(await isPassword(passwordText(id, password), expected))) {
        log.warn({ account: before.name, address }, 'a password was not changed: the present one was wrong')
        throw new MadhavaError('LOGIN_WRONG', 'The present password is wrong')
      }
      return hashPassword(passwordText(id, newPassword))
    })
    guard.forgive(tried)
    const mark = passwordMark(before)
    const next = passwordMark(withPasswords(before, { password: hash }))
    const kept = await bind(found, { password: mark, nextPassword: next }).catch(async (error: unknown) => {
      throw isMadhavaError(error, 'DOCUMENT_CHANGED') ? await tooLate(session) : error
    })
    let isLate = false
    await accounts
      .change(id, now => {
        isLate = !isUsable(now) || passwordMark(now) !== mark
        if (isLate) throw new MadhavaError('UNAUTHORIZED')
        return withPasswords(now, { password: hash })
      })
      .catch(async (error: unknown) => {
        if (!isLate) throw error
        // an earlier change of the same session may have been under way, to which it was bound
        await bind(kept, found.data).catch(() => {})
        throw await tooLate(session)
      })
    log.info({ account: before.name, address }, 'somebody has set a new password')
    // the session holds already; what is left of the old password in it is of no use
    await bind(kept, { password: next }).catch(() => {})
  }
}
