// Which account is whose, of those whom a provider knows. An identity is claimed first, under an id that is used once;
// then the name, then the account is written. A kill between them leaves an identity that waits for its person, and
// never two accounts of one person. An identity counts only while its account is there and says the same.
import { IDENTITIES } from '../../core/account-forms.ts'
import { openCollection, orIfInvalid } from '../../core/collection.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { AccountRole } from '../../core/policy.ts'
import { newTaskId as newId } from '../../core/task.ts'
import type { SignInChanges } from '../access.ts'
import { type AccountDocument, isThere } from '../account.ts'
import type { AccountStore } from '../account-store.ts'
import { normalName, parseName } from '../name-rules.ts'
import type { Names } from '../names.ts'
import { identityNameOf, namesToTry, type Person } from './person.ts'

export interface Identities {
  /**
   * The account of a person, with this role from now on. It is made where there is none, also after its deletion.
   * @param wanted the name of a new one, which gets a suffix if somebody has it
   * @throws ACCOUNT_DISABLED (`detail.account`), DOCUMENT_INVALID, STORE_UNAVAILABLE, STORE_FULL
   */
  settle(
    person: Person,
    as: { role: AccountRole; wanted: string },
    changes: SignInChanges,
  ): Promise<AccountDocument>
  /** The id of a person's account; null: there is none. @throws STORE_UNAVAILABLE */
  find(person: Person): Promise<string | null>
  /** Lets go of what an account was that is deleted. @throws STORE_UNAVAILABLE */
  release(identity: string, account: string): Promise<void>
}

interface IdentitiesDeps {
  documents: Documents
  accounts: AccountStore
  names: Names
  /** The store's. */
  clock: () => Date
}

const disabled = (account: string): MadhavaError =>
  new MadhavaError('ACCOUNT_DISABLED', undefined, { detail: { account } })

/** Runs what another writer may have been faster in. @returns null when one was */
const unlessChanged = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work
  } catch (error) {
    if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return null
    throw error
  }
}

/** The same for an account that was deleted meanwhile. */
const unlessGone = async <T>(work: Promise<T>): Promise<T | null> => {
  try {
    return await work
  } catch (error) {
    if (isMadhavaError(error, 'ACCOUNT_NOT_FOUND')) return null
    throw error
  }
}

export const openIdentities = ({ documents, accounts, names, clock }: IdentitiesDeps): Identities => {
  const collection = openCollection(documents, 'identities', IDENTITIES)

  const point = (person: Person, rev: number | null) => {
    const { issuer, subject } = person
    const data = { issuer, subject, account: newId() }
    return unlessChanged(collection.put(identityNameOf(person), { data }, rev))
  }

  /** The first name that is free. @throws STORE_UNAVAILABLE, STORE_FULL; NAME_TAKEN when none is */
  const claimName = async (wanted: string, id: string): Promise<string> => {
    for (const text of namesToTry(wanted, id.slice(-6)))
      try {
        // some belong to the server, until they have a suffix
        const name = parseName(text)
        await names.claim(name, id)
        return name
      } catch (error) {
        if (!isMadhavaError(error, 'NAME_TAKEN') && !isMadhavaError(error, 'NAME_INVALID')) throw error
      }
    throw new MadhavaError('NAME_TAKEN')
  }

  /** Another sign-in of the same person may have written the account under another name. */
  const letGo = async (name: string, id: string): Promise<void> => {
    const found = await accounts.look(id)
    if (found === null || found === 'broken') return
    if (isThere(found.data) && normalName(found.data.name) === normalName(name)) return
    await names.release(name, id)
  }

  /** Null: somebody else was faster. */
  const make = async (
    id: string,
    identity: string,
    { role, wanted }: { role: AccountRole; wanted: string },
  ): Promise<AccountDocument | null> => {
    const name = await claimName(wanted, id)
    const account = {
      name,
      role,
      password: null,
      configured: null,
      changes: 0,
      createdAt: clock().toISOString(),
      disabledAt: null,
      deletedAt: null,
      identity,
    }
    const made = await unlessChanged(accounts.create(id, account))
    // what is not let go of frees itself
    if (!made) await letGo(name, id).catch(() => {})
    return made
  }

  /** @throws ACCOUNT_DISABLED, ACCOUNT_NOT_FOUND when it is deleted meanwhile */
  const giveRole = (id: string, role: AccountRole): Promise<AccountDocument> =>
    accounts.change(id, account => {
      if (account.deletedAt !== null) throw new MadhavaError('ACCOUNT_NOT_FOUND')
      if (account.disabledAt !== null) throw disabled(id)
      return { ...account, role }
    })

  return {
    async settle(person, as, changes) {
      const identity = identityNameOf(person)
      for (;;) {
        const there = await collection.get(identity)
        if (!there) {
          await point(person, null)
          continue
        }
        const id = there.data.account
        const account = await accounts.look(id)
        if (account === 'broken')
          throw new MadhavaError('DOCUMENT_INVALID', `The document accounts/${id} cannot be used`)
        if (account === null) {
          const made = await changes.make(() => make(id, identity, as))
          if (made) return made
          continue
        }
        const { data } = account
        if (data.deletedAt !== null || data.identity !== identity) {
          await point(person, there.rev)
          continue
        }
        if (data.disabledAt !== null) throw disabled(id)
        if (data.role === as.role) return account
        const given = await unlessGone(changes.change(account, as.role, () => giveRole(id, as.role)))
        if (given) return given
      }
    },

    async find(person) {
      const identity = identityNameOf(person)
      const there = await orIfInvalid(collection.get(identity), () => null)
      const account = there && (await accounts.find(there.data.account))
      return account?.data.identity === identity ? account.name : null
    },

    async release(identity, account) {
      const there = await orIfInvalid(collection.get(identity), () => null)
      if (there?.data.account === account) await unlessChanged(collection.remove(identity, there.rev))
    },
  }
}
