// What somebody is told of themselves: account, rights, and what they have shown.
import { MadhavaError } from '../core/errors.ts'
import type { Access } from './access.ts'
import { showAccount } from './account.ts'
import type { AccountStore } from './account-store.ts'
import { actorOfValid, type Credentials } from './credentials.ts'

interface MeDeps {
  accounts: AccountStore
  credentials: Pick<Credentials, 'read'>
}

/** A stranger has rights too, and no account. */
export const createMe =
  ({ accounts, credentials }: MeDeps): Access['me'] =>
  async actor => {
    const { scopes, sees, kinds, credential } = actor
    if (actor.account === null) return { account: null, scopes, sees, kinds, credential, expiresAt: null }
    if (credential === null) {
      const account = await accounts.usable(actor.account)
      if (!account) throw new MadhavaError('UNAUTHORIZED')
      return { account: showAccount(account), scopes, sees, kinds, credential, expiresAt: null }
    }
    const valid = await credentials.read(credential)
    if (!valid) throw new MadhavaError('UNAUTHORIZED')
    const now = actorOfValid(valid, actor.via)
    return {
      account: showAccount(valid.account),
      scopes: now.scopes,
      sees: now.sees,
      kinds: now.kinds,
      credential,
      expiresAt: valid.expiresAt,
    }
  }
