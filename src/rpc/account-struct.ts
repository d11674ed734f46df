// Accounts, sessions, keys and invitations as structs.
import types from '../../gen/js/rpcinterface_types.js'
import type { AccountView, InvitationView, KeyView, Me, PageOf, SessionView } from '../access/access.ts'
import { build } from './build.ts'

export const accountStruct = (account: AccountView) => build(types.Account, account)

/** `kinds` and the like are copied: what Access gives may be read-only. */
export const meStruct = ({ account, scopes, kinds, credential, ...me }: Me) =>
  build(types.Me, {
    ...me,
    account: account && accountStruct(account),
    scopes: [...scopes],
    kinds: kinds && [...kinds],
    credential: credential && build(types.Credential, credential),
  })

export const sessionStruct = (session: SessionView) => build(types.Session, session)

/** `key` is known where it was just made. */
export const keyStruct = (view: KeyView & { key?: string }) =>
  build(types.Key, { ...view, key: view.key ?? null })

/** `invitation` is known where it was just made. */
export const invitationStruct = (view: InvitationView & { invitation?: string }) =>
  build(types.Invitation, { ...view, invitation: view.invitation ?? null })

export const loginStruct = (login: { token: string; expiresAt: string; account: AccountView }) =>
  build(types.Login, { ...login, account: accountStruct(login.account) })

export const accountPageStruct = ({ items, next }: PageOf<AccountView>) =>
  build(types.AccountPage, { accounts: items.map(accountStruct), nextCursor: next })
