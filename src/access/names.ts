// Whose a name is. A name is claimed before its account is written, and a kill may come between the two: a name counts
// only if its account is there and has it. So a name is never two accounts', and a lost one frees itself.
import { ACCOUNT_NAMES } from '../core/account-forms.ts'
import { openCollection, orIfInvalid } from '../core/collection.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { type AccountDocument, isBuiltIn, isThere } from './account.ts'
import type { AccountStore } from './account-store.ts'
import { nameDocumentOf, normalName } from './name-rules.ts'

/** How long a name waits for its account, milliseconds of the store's clock. */
const WAITS_MS = 60_000
/** No account has this id. It is read where none is found, so that it takes as long. */
const NOBODY = '00000000-0000-0000-0000-000000000000'

export interface Names {
  /** The account with this name, maybe disabled; null: none. @throws STORE_UNAVAILABLE */
  find(name: string): Promise<AccountDocument | null>
  /**
   * Takes a name for an account that is about to be written, and that nobody else writes under another name. A name that
   * has waited for an account too long is taken over; whoever it waited for can no longer write that account.
   * @throws NAME_TAKEN, STORE_UNAVAILABLE, STORE_FULL
   */
  claim(name: string, account: string): Promise<void>
  /** Lets go of a name that the account can no longer get, or has lost. @throws STORE_UNAVAILABLE */
  release(name: string, account: string): Promise<void>
}

interface NamesDeps {
  documents: Documents
  accounts: AccountStore
  /** The store's. */
  clock: () => Date
}

export const openNames = ({ documents, accounts, clock }: NamesDeps): Names => {
  const collection = openCollection(documents, 'account-names', ACCOUNT_NAMES)
  const taken = (): MadhavaError => new MadhavaError('NAME_TAKEN')

  /**
   * Makes sure that the account that a name waits for will never be written. @throws DOCUMENT_CHANGED when it just was
   */
  const giveUp = (account: string, name: string): Promise<AccountDocument> =>
    accounts.create(account, {
      name,
      role: 'user',
      password: null,
      configured: null,
      changes: 0,
      createdAt: null,
      disabledAt: null,
      deletedAt: clock().toISOString(),
      identity: null,
    })

  /** @throws NAME_TAKEN when the name counts, or may yet; DOCUMENT_CHANGED when it changes just now */
  const mustBeFree = async (name: string, claim: { account: string; rev: number }): Promise<void> => {
    const owner = await accounts.look(claim.account)
    if (owner === 'broken') throw taken()
    if (owner !== null) {
      if (isThere(owner.data) && normalName(owner.data.name) === normalName(name)) throw taken()
      return
    }
    if (clock().getTime() - claim.rev < WAITS_MS) throw taken()
    await giveUp(claim.account, name)
  }

  /** @returns whether it was done; not when somebody else was faster */
  const tryClaim = async (name: string, account: string): Promise<boolean> => {
    const place = nameDocumentOf(name)
    // what cannot be read may be somebody's
    const there = await orIfInvalid(collection.get(place), () => 'broken' as const)
    if (there === 'broken') throw taken()
    try {
      if (there !== null && there.data.account !== account)
        await mustBeFree(name, { account: there.data.account, rev: there.rev })
      await collection.put(place, { data: { account, name } }, there?.rev ?? null)
      return true
    } catch (error) {
      if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return false
      throw error
    }
  }

  return {
    async find(name) {
      const normal = normalName(name)
      if (isBuiltIn(normal)) return accounts.find(normal)
      const there = await orIfInvalid(collection.get(nameDocumentOf(normal)), () => null)
      const owner = await accounts.find(there?.data.account ?? NOBODY)
      return owner && normalName(owner.data.name) === normal ? owner : null
    },

    async claim(name, account) {
      while (!(await tryClaim(name, account)));
    },

    async release(name, account) {
      const place = nameDocumentOf(name)
      const there = await orIfInvalid(collection.get(place), () => null)
      if (there?.data.account !== account) return
      await collection.remove(place, there.rev).catch((error: unknown) => {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      })
    },
  }
}
