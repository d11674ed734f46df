// What the document of an account says: which password counts, whether it can be used, what is shown of it. Pure; it
// reads and writes nothing.
import { createHash } from 'node:crypto'
import type { Account, ConfiguredPassword, PasswordHash } from '../core/account-forms.ts'
import type { TypedDocument } from '../core/collection.ts'
import type { Session } from '../core/credential-forms.ts'
import type { AccountRole } from '../core/policy.ts'
import type { AccountView } from './access.ts'

/** The logins that every installation has. Each is the id of its account and the name. */
export const BUILT_IN_LOGINS = ['operator', 'viewer'] as const
export type BuiltInLogin = (typeof BUILT_IN_LOGINS)[number]

/** The operator invites the others, so it is an admin. */
export const ROLE_OF_LOGIN: Readonly<Record<BuiltInLogin, AccountRole>> = {
  operator: 'admin',
  viewer: 'viewer',
}

export const isBuiltIn = (id: string): boolean => BUILT_IN_LOGINS.some(login => login === id)

/** An account with its id. */
export type AccountDocument = TypedDocument<Account>

/** The password that counts; null: every one is wrong. */
export const passwordInEffect = ({
  configured,
  password,
}: Pick<Account, 'configured' | 'password'>): PasswordHash | null => configured ?? password

/** The account with other passwords. It counts the change if another one is in effect now. */
export const withPasswords = (
  account: Account,
  passwords: { password?: PasswordHash | null; configured?: ConfiguredPassword | null },
): Account => {
  const after = { ...account, ...passwords }
  const isSame = passwordInEffect(after)?.hash === passwordInEffect(account)?.hash
  return isSame ? after : { ...after, changes: account.changes + 1 }
}

/** What a session is bound to: it changes with the password, also when an earlier one comes back. */
export const passwordMark = (account: Account): string => {
  const { salt = '', hash = '' } = passwordInEffect(account) ?? {}
  return createHash('sha256').update(`${account.changes}.${salt}.${hash}`).digest('hex')
}

/** Whether a session was begun under the password that is in effect, or has just set it. */
export const isBoundTo = (
  { password, nextPassword }: Pick<Session, 'password' | 'nextPassword'>,
  account: Account,
): boolean => {
  const mark = passwordMark(account)
  return password === mark || nextPassword === mark
}

/**
 * Whether there is such an account: it was not deleted, and there is a way to sign in as it. A built-in login may have
 * lost its password.
 */
export const isThere = (account: Account): boolean =>
  account.deletedAt === null && (passwordInEffect(account) !== null || account.identity !== null)

/** Whether it may do anything. */
export const isUsable = (account: Account): boolean => isThere(account) && account.disabledAt === null

export const showAccount = ({ name: id, data }: AccountDocument): AccountView => ({
  id,
  name: data.name,
  role: data.role,
  createdAt: data.createdAt,
  disabledAt: data.disabledAt,
  signIn: [
    ...(passwordInEffect(data) === null ? [] : (['password'] as const)),
    ...(data.identity === null ? [] : (['oidc'] as const)),
  ],
})
