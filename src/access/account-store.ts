// Reads and writes the documents of accounts. It decides nothing about who may do so.
import { ACCOUNTS, type Account, accountIdSchema } from '../core/account-forms.ts'
import { type Collection, openCollection, orIfInvalid } from '../core/collection.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { type AccountDocument, isThere, isUsable } from './account.ts'

export interface AccountStore {
  /** What is there, also deleted. Null: nothing. `broken`: a document that cannot be used. @throws STORE_UNAVAILABLE */
  look(id: string): Promise<AccountDocument | null | 'broken'>
  /** One that is there, maybe disabled; null for any other. @throws STORE_UNAVAILABLE */
  find(id: string): Promise<AccountDocument | null>
  /** One that may do something now; null for any other. @throws STORE_UNAVAILABLE */
  usable(id: string): Promise<AccountDocument | null>
  list: Collection<Account>['list']
  /** @throws DOCUMENT_CHANGED when there is one, or was one, with this id; STORE_UNAVAILABLE, STORE_FULL */
  create(id: string, account: Account): Promise<AccountDocument>
  /**
   * Writes what `decide` makes of the account, again when another was faster. It decides on what is there, also deleted.
   * @throws ACCOUNT_NOT_FOUND when nothing is there that can be used, what `decide` throws, STORE_UNAVAILABLE, STORE_FULL
   */
  change(id: string, decide: (account: Account) => Account): Promise<AccountDocument>
}

/** So that those of a stranger who types something else are nobody's. */
export const isAccountId = (id: string): boolean => accountIdSchema.safeParse(id).success

export const openAccountStore = (documents: Documents): AccountStore => {
  const collection = openCollection(documents, 'accounts', ACCOUNTS)
  const look = async (id: string): Promise<AccountDocument | null | 'broken'> =>
    isAccountId(id) ? orIfInvalid(collection.get(id), () => 'broken' as const) : null
  const findIf = async (id: string, fits: (account: Account) => boolean) => {
    const found = await look(id)
    return found !== null && found !== 'broken' && fits(found.data) ? found : null
  }
  return {
    look,
    find: id => findIf(id, isThere),
    usable: id => findIf(id, isUsable),
    list: page => collection.list(page),
    create: (id, account) => collection.put(id, { data: account }, null),
    async change(id, decide) {
      for (;;) {
        const found = await look(id)
        if (found === null || found === 'broken') throw new MadhavaError('ACCOUNT_NOT_FOUND')
        const data = decide(found.data)
        try {
          return await collection.put(id, { data, expiresAt: found.expiresAt }, found.rev)
        } catch (error) {
          if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
        }
      }
    },
  }
}
