// The documents of the logins: how they are read and written, and which password of one counts.

import { openCollection, type TypedDocument } from '../../core/collection.ts'
import { ACCOUNTS, type Account, type ConfiguredPassword, type PasswordHash } from '../../core/collections.ts'
import type { Documents, ExpectedRev } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Role } from './rights.ts'

export type Login = TypedDocument<Account>

/** The setting that may have the password of a role. */
export const PASSWORD_SETTING: Record<Role, string> = {
  operator: 'DASHBOARD_PASSWORD',
  viewer: 'DASHBOARD_VIEWER_PASSWORD',
}

export interface Logins {
  /** Null: there is none. @throws CONFIG_INVALID when what is there cannot be used, STORE_UNAVAILABLE */
  get(role: Role): Promise<Login | null>
  /** @throws DOCUMENT_CHANGED, STORE_UNAVAILABLE, STORE_FULL */
  put(role: Role, account: Account, rev: ExpectedRev): Promise<void>
}

/** A login that has no password yet. */
export const emptyAccount = (role: Role): Account => ({ role, password: null, configured: null, changes: 0 })

/** The password that counts; null: every one is wrong. */
export const passwordInEffect = ({ configured, password }: Account): PasswordHash | null =>
  configured ?? password

/** The account with other passwords. It counts the change if another one is in effect now. */
export const withPasswords = (
  account: Account,
  passwords: { password?: PasswordHash | null; configured?: ConfiguredPassword | null },
): Account => {
  const after = { ...account, ...passwords }
  const isSame = passwordInEffect(after)?.hash === passwordInEffect(account)?.hash
  return isSame ? after : { ...after, changes: account.changes + 1 }
}

export const openLogins = (documents: Documents): Logins => {
  const accounts = openCollection(documents, 'accounts', ACCOUNTS)
  const cannotBeUsed = (role: Role, why: string, cause?: unknown): MadhavaError =>
    new MadhavaError(
      'CONFIG_INVALID',
      `The login ${role} cannot be used (${why}); \`node bin/reset-password.mjs${role === 'viewer' ? ' --viewer' : ''}\` makes it and a new password`,
      { cause },
    )
  return {
    async get(role) {
      const found = await accounts.get(role).catch((error: unknown) => {
        if (isMadhavaError(error, 'DOCUMENT_INVALID')) throw cannotBeUsed(role, error.message, error)
        throw error
      })
      if (found && found.data.role !== role) throw cannotBeUsed(role, `its role is ${found.data.role}`)
      return found
    },
    async put(role, account, rev) {
      await accounts.put(role, { data: account }, rev)
    },
  }
}
