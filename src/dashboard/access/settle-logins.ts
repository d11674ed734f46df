// What a start does to the logins: passwords of settings are put in their place, or taken away, and the operator gets
// a first password. Several bundles may share the logins, and start at once.
import type { Account, ConfiguredPassword } from '../../core/collections.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import {
  emptyAccount,
  type Login,
  openLogins,
  PASSWORD_SETTING,
  passwordInEffect,
  withPasswords,
} from './logins.ts'
import { hashPassword, isPassword, newPassword } from './passwords.ts'
import { ROLES, type Role } from './rights.ts'

export interface SettleOptions {
  /** The passwords of this bundle's settings; null: it has none. */
  configured: Record<Role, string | null>
  /** This bundle, as its presences name it. */
  bundle: string
  /** Whether processes of another bundle live; null: the store is this bundle's alone, whatever it was called before. */
  isAlive: ((bundle: string) => Promise<boolean>) | null
  /** The store's. */
  clock: () => Date
  /** Whether an operator without a password gets one: only where somebody sees it. */
  makeOperator: boolean
}

/** From its start to its first presence, a bundle is alive and cannot be seen. */
const UNSEEN_MS = 30_000

/** A login, and how it is to be. */
interface Plan {
  found: Login | null
  before: Account
  after: Account
}

/** Hashing is slow, and a write that lost a race is done again. */
const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | null = null
  return () => {
    made ??= make()
    return made
  }
}

/**
 * Settles all logins. `created`: the operator's password if this call made it, which is the only time it can be shown;
 * of several calls at once, one makes it. A password of a setting that is as before keeps its sessions.
 * @throws CONFIG_INVALID when a living bundle has another password as its setting, or a login cannot be used;
 * STORE_UNAVAILABLE
 */
export const settleLogins = async (
  documents: Documents,
  { configured, bundle, isAlive, clock, makeOperator }: SettleOptions,
): Promise<{ created: string | null }> => {
  const logins = openLogins(documents)

  /** The bundles beside this one that have the password as their setting, and live. */
  const livingOthers = async (bundles: Record<string, string>): Promise<Record<string, string>> => {
    const living: Record<string, string> = {}
    if (!isAlive) return living
    for (const [other, at] of Object.entries(bundles)) {
      if (other === bundle) continue
      const isNew = Math.abs(clock().getTime() - Date.parse(at)) < UNSEEN_MS
      if (isNew || (await isAlive(other))) living[other] = at
    }
    return living
  }

  const createSettling = (role: Role) => {
    const setting = configured[role]
    const hashOfSetting = once(() => hashPassword(setting ?? ''))
    const firstPassword = newPassword()
    const hashOfFirst = once(() => hashPassword(firstPassword))

    const configuredAfter = async (before: ConfiguredPassword | null): Promise<ConfiguredPassword | null> => {
      const others = await livingOthers(before?.bundles ?? {})
      const hasOthers = Object.keys(others).length > 0
      if (setting === null) return before && hasOthers ? { ...before, bundles: others } : null
      const bundles = { ...others, [bundle]: clock().toISOString() }
      if (before && (await isPassword(setting, before))) return { ...before, bundles }
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

    const plan = async (): Promise<Plan> => {
      const found = await logins.get(role)
      const before = found?.data ?? emptyAccount(role)
      return { found, before, after: await accountAfter(before) }
    }

    /** After a write of which nobody knows whether it was done. */
    const isWritten = async ({ after }: Plan): Promise<boolean> => {
      const found = await logins.get(role).catch(() => null)
      return JSON.stringify(found?.data) === JSON.stringify(after)
    }

    /** @returns whether it was done; not when somebody else was first */
    const write = async (planned: Plan): Promise<boolean> => {
      try {
        await logins.put(role, planned.after, planned.found?.rev ?? null)
        return true
      } catch (error) {
        if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return false
        if (isMadhavaError(error, 'STORE_UNAVAILABLE') && (await isWritten(planned))) return true
        throw error
      }
    }

    /** The first password if it was made here, else null. */
    const settle = async (first: Plan): Promise<string | null> => {
      for (let planned = first; ; planned = await plan()) {
        const { before, after } = planned
        if (JSON.stringify(after) === JSON.stringify(before)) return null
        if (await write(planned))
          return after.password !== null && before.password === null ? firstPassword : null
      }
    }
    return { plan, settle }
  }

  // what is refused is refused before anything is written
  const settlings: { settle: (first: Plan) => Promise<string | null>; first: Plan }[] = []
  for (const role of ROLES) {
    const { plan, settle } = createSettling(role)
    settlings.push({ settle, first: await plan() })
  }
  let created: string | null = null
  // the operator last: whoever is refused in a race has made no password that nobody sees
  for (const { settle, first } of settlings.reverse()) created = await settle(first)
  return { created }
}
