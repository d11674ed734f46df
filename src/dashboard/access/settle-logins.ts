// What a start does to the logins: passwords of settings are put in their place, or taken away, and the operator gets
// a first password. Several bundles may share the logins, and start at once.
import { BUILT_IN_LOGINS, type BuiltInLogin, passwordInEffect, withPasswords } from '../../access/account.ts'
import { hashPassword, isPassword, newPassword } from '../../access/passwords.ts'
import type { Account, ConfiguredPassword } from '../../core/account-forms.ts'
import { once } from '../../core/async/once.ts'
import type { DocumentFlaw } from '../../core/collections.ts'
import type { Documents, ExpectedRev } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import { livingBundles, UNSEEN_MS } from './living-bundles.ts'
import { cannotBeUsed, emptyAccount, openLogins, PASSWORD_SETTING } from './logins.ts'

export interface SettleOptions {
  /** The passwords of this bundle's settings; null: it has none. */
  configured: Record<BuiltInLogin, string | null>
  /** This bundle, as its presences name it. */
  bundle: string
  /** Whether processes of a bundle live; null: the store is this bundle's alone, whatever it was called before. */
  isAlive: ((bundle: string) => Promise<boolean>) | null
  /** The store's. */
  clock: () => Date
  /** Whether an operator without a password gets one: only where somebody sees it. */
  makeOperator: boolean
  log: Pick<Log, 'error'>
}

/** A login, and how it is to be. */
interface Plan {
  rev: ExpectedRev
  /** Null: there is none that can be used. */
  before: Account | null
  after: Account
}

/** Whether nothing that counts changes: the password and its bundles are kept, or some of the bundles. */
const changesOnlyBundles = ({ before, after }: Plan): boolean => {
  const withoutBundles = (account: Account) =>
    JSON.stringify({ ...account, configured: account.configured && { ...account.configured, bundles: {} } })
  return before !== null && withoutBundles(before) === withoutBundles(after)
}

/**
 * Settles all logins. `created`: the operator's password if this call made it, which is the only time it can be shown;
 * of several calls at once, one makes it. A password of a setting that is as before keeps its sessions, and needs no
 * room in the store. A login that cannot be used is made anew if its password is a setting; a viewer without one is
 * passed over.
 * @throws CONFIG_INVALID when a living bundle has another password as its setting, the operator cannot be used and
 * has no setting, or a later version wrote the document of a login that has one; STORE_UNAVAILABLE, STORE_FULL
 */
export const settleLogins = async (
  documents: Documents,
  { configured, bundle, isAlive, clock, makeOperator, log }: SettleOptions,
): Promise<{ created: string | null }> => {
  const logins = openLogins(documents)

  /** The bundles beside this one that have the password as their setting, and live. */
  const livingOthers = async ({ [bundle]: _, ...others }: Record<string, string>) =>
    isAlive ? livingBundles(others, { isAlive, clock }) : {}

  const createSettling = (role: BuiltInLogin) => {
    const setting = configured[role]
    const hashOfSetting = once(() => hashPassword(setting ?? ''))
    const firstPassword = newPassword()
    const hashOfFirst = once(() => hashPassword(firstPassword))

    const configuredAfter = async (before: ConfiguredPassword | null): Promise<ConfiguredPassword | null> => {
      const others = await livingOthers(before?.bundles ?? {})
      const hasOthers = Object.keys(others).length > 0
      if (setting === null) return before && hasOthers ? { ...before, bundles: others } : null
      const bundles = { ...others, [bundle]: clock().toISOString() }
      if (before && (await isPassword(setting, before))) return isAlive ? { ...before, bundles } : before
      if (hasOthers)
        throw new MadhavaError(
          'CONFIG_INVALID',
          `Another bundle that uses the same store has another ${PASSWORD_SETTING[role]}: all must have the same, or all but one none. To change it, stop the others first; one that has just started and ended counts for ${UNSEEN_MS / 1000} seconds`,
        )
      return { ...(await hashOfSetting()), bundles }
    }

    const accountAfter = async (before: Account): Promise<Account> => {
      const after = withPasswords(before, { configured: await configuredAfter(before.configured) })
      if (role !== 'operator' || !makeOperator || passwordInEffect(after)) return after
      return withPasswords(after, { password: await hashOfFirst() })
    }

    /** Whether one that cannot be used is as good as none. @throws CONFIG_INVALID when it is not */
    const mayReplace = (flaw: DocumentFlaw): boolean => {
      if (setting !== null && !flaw.isLater) return true
      const error = cannotBeUsed(role, flaw)
      if (setting !== null || role === 'operator') throw error
      log.error({ login: role, error }, 'a login cannot be used')
      return false
    }

    /** Null: the login is passed over. */
    const plan = async (): Promise<Plan | null> => {
      const { login, flaw, rev } = await logins.look(role)
      if (flaw && !mayReplace(flaw)) return null
      const before = login?.data ?? null
      return { rev, before, after: await accountAfter(before ?? emptyAccount(role)) }
    }

    /** After a write of which nobody knows whether it was done. */
    const isWritten = async ({ after }: Plan): Promise<boolean> => {
      const found = await logins.get(role).catch(() => null)
      return JSON.stringify(found?.data) === JSON.stringify(after)
    }

    /** @returns whether it was done; not when somebody else was first */
    const write = async (planned: Plan): Promise<boolean> => {
      try {
        await logins.put(role, planned.after, planned.rev)
        return true
      } catch (error) {
        if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return false
        // the same password counts without it; the dashboard puts the bundle in when there is room
        if (isMadhavaError(error, 'STORE_FULL') && changesOnlyBundles(planned)) return true
        if (isMadhavaError(error, 'STORE_UNAVAILABLE') && (await isWritten(planned))) return true
        throw error
      }
    }

    /** The first password if it was made here, else null. */
    const settle = async (first: Plan | null): Promise<string | null> => {
      for (let planned = first; planned !== null; planned = await plan()) {
        const { before, after } = planned
        if (JSON.stringify(after) === JSON.stringify(before ?? emptyAccount(role))) return null
        if (await write(planned)) return after.password !== null && !before?.password ? firstPassword : null
      }
      return null
    }
    return { plan, settle }
  }

  // what is refused is refused before anything is written
  const settlings: { settle: (first: Plan | null) => Promise<string | null>; first: Plan | null }[] = []
  for (const role of BUILT_IN_LOGINS) {
    const { plan, settle } = createSettling(role)
    settlings.push({ settle, first: await plan() })
  }
  let created: string | null = null
  // the operator last: whoever is refused in a race has made no password that nobody sees
  for (const { settle, first } of settlings.reverse()) created = await settle(first)
  return { created }
}
