// What admins do with accounts: list, change, delete. Deleting is one write, which ends everything of the account at
// once; what is removed after it could no longer be used.
import type { Account } from '../core/account-forms.ts'
import type { Collection, TypedDocument } from '../core/collection.ts'
import type { DocumentData } from '../core/documents.ts'
import { MadhavaError } from '../core/errors.ts'
import { demand } from '../core/policy.ts'
import type { Log } from '../platform/log.ts'
import type { Access, AccountView } from './access.ts'
import { isBuiltIn, isThere, showAccount, withPasswords } from './account.ts'
import type { AccountStore } from './account-store.ts'
import type { Credentials } from './credentials.ts'
import type { Guard } from './guard.ts'
import type { Names } from './names.ts'
import type { Identities } from './oidc/identities.ts'
import { checkPassword, passwordText } from './password-rules.ts'
import { hashPassword } from './passwords.ts'
import { accountOf } from './who.ts'

interface AdministrationDeps {
  accounts: AccountStore
  names: Names
  identities: Pick<Identities, 'release'>
  credentials: Credentials
  guard: Guard
  /** The store's. */
  clock: () => Date
  log: Pick<Log, 'info'>
}

const notFound = (): MadhavaError => new MadhavaError('ACCOUNT_NOT_FOUND')

/** @throws ACCOUNT_BUILT_IN */
const demandMade = (id: string): void => {
  if (isBuiltIn(id)) throw new MadhavaError('ACCOUNT_BUILT_IN', `${id} is a login of the installation itself`)
}

export const createAdministration = ({
  accounts,
  names,
  identities,
  credentials: { keys, sessions, keysOf, sessionsOf },
  guard,
  clock,
  log,
}: AdministrationDeps): Pick<Access, 'accounts' | 'changeAccount' | 'deleteAccount'> => {
  const now = (): string => clock().toISOString()

  const removeAll = async <Data extends DocumentData>(
    collection: Pick<Collection<Data>, 'remove'>,
    documents: TypedDocument<Data>[],
  ): Promise<void> => {
    for (const { name } of documents) await collection.remove(name, 'any')
  }

  /** Everything that an account which was deleted has left. A kill may leave some: doing it again removes the rest. */
  const removeRest = async (id: string, { name, identity }: Account): Promise<void> => {
    await names.release(name, id)
    if (identity !== null) await identities.release(identity, id)
    await removeAll(sessions, await sessionsOf(id))
    await removeAll(keys, await keysOf(id))
  }

  /** Disabling ends the sessions for good, so that none comes back when the account does. */
  const changed = (
    account: Account,
    { role, disabled }: Parameters<Access['changeAccount']>[2],
    password: Account['password'],
  ): Account => {
    const after = password ? withPasswords(account, { password }) : account
    const disabledAt =
      disabled === undefined ? account.disabledAt : disabled ? (account.disabledAt ?? now()) : null
    const isEnded = disabledAt !== null && account.disabledAt === null
    return {
      ...after,
      role: role ?? account.role,
      disabledAt,
      changes: after.changes + (isEnded ? 1 : 0),
    }
  }

  return {
    async accounts(actor, { limit, cursor }) {
      demand(actor, 'admin')
      const items: AccountView[] = []
      let next = cursor
      do {
        const page = await accounts.list({ limit: limit - items.length, cursor: next })
        items.push(...page.documents.filter(({ data }) => isThere(data)).map(showAccount))
        next = page.next
      } while (next !== null && items.length < limit)
      return { items, next }
    },

    async changeAccount(actor, id, changes) {
      demand(actor, 'admin')
      demandMade(id)
      const before = await accounts.find(id)
      if (!before) throw notFound()
      const { password = null } = changes
      if (password !== null) checkPassword(password, before.data.name)
      const hash =
        password === null
          ? null
          : await guard.inTurn({ address: null, about: id }, () => hashPassword(passwordText(id, password)))
      const after = await accounts.change(id, account => {
        if (!isThere(account)) throw notFound()
        return changed(account, changes, hash)
      })
      log.info(
        { account: after.data.name, by: actor.name, changes: Object.keys(changes) },
        'an account was changed',
      )
      return showAccount(after)
    },

    async deleteAccount(actor, id, tasks = 'keep') {
      const isOwn = accountOf(actor) === id && actor.credential?.type === 'session'
      if (!isOwn) demand(actor, 'admin')
      demandMade(id)
      const found = await accounts.look(id)
      if (found === null || found === 'broken') throw notFound()
      const { name } = found.data
      if (found.data.deletedAt !== null) {
        await removeRest(id, found.data)
        throw notFound()
      }
      await accounts.change(id, account => {
        if (account.deletedAt !== null) throw notFound()
        const at = now()
        return {
          ...account,
          password: null,
          configured: null,
          changes: account.changes + 1,
          deletedAt: at,
          // in the same write: a kill leaves both or neither
          ...(tasks === 'remove' ? { tasksLeftAt: at } : {}),
        }
      })
      // whatever cannot be removed now is of no use to anybody
      await removeRest(id, found.data).catch(() => {})
      log.info({ account: name, by: actor.name, tasks }, 'an account was deleted')
    },
  }
}
