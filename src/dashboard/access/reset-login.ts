// A login gets a new password, or loses the one it has, also while bundles run.
import { type BuiltInLogin, withPasswords } from '../../access/account.ts'
import { hashPassword, newPassword } from '../../access/passwords.ts'
import type { Account } from '../../core/account-forms.ts'
import { orIfInvalid } from '../../core/collection.ts'
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { type LivingOptions, livingBundles, UNSEEN_MS } from './living-bundles.ts'
import { emptyAccount, type FoundLogin, openLogins, PASSWORD_SETTING } from './logins.ts'
import { hasSessionKey, mendSessionKey } from './session-key.ts'

/** `isAlive` and `clock` tell which bundles still have the password of their setting. */
export interface ResetOptions extends LivingOptions {
  /** Left out: the operator. */
  role?: BuiltInLogin
  /** The password of the settings, if they were read. */
  configured?: string | null
  /** Where the documents are, for people. */
  place: string
}

const openReset = (
  documents: Documents,
  { role = 'operator', configured = null, place, ...living }: ResetOptions,
) => {
  const logins = openLogins(documents)
  const setting = PASSWORD_SETTING[role]
  const refuse = (why: string): never => {
    throw new MadhavaError('CONFIG_INVALID', why)
  }

  /** A password of a setting would count alone, or come back with the next start. @throws CONFIG_INVALID */
  const mustNotBeConfigured = async ({ login, flaw }: FoundLogin): Promise<void> => {
    if (configured !== null)
      refuse(
        flaw?.isLater
          ? `The password is that of ${setting}, and ${flaw.why}: run the later version, or this tool without ${setting}`
          : `The password is that of ${setting}: change it there and start anew`,
      )
    const bundles = await livingBundles(login?.data.configured?.bundles ?? {}, living)
    if (Object.keys(bundles).length > 0)
      refuse(
        `The password is that of ${setting}, which a bundle that runs here has, or one that has started in the last ${UNSEEN_MS / 1000} seconds: change it there and start anew`,
      )
  }

  /** Writes until nobody else was faster. Null: there is no password of its own any more. */
  const write = async (password: string | null): Promise<void> => {
    const hash = password === null ? null : await hashPassword(password)
    for (;;) {
      const found = await logins.look(role)
      await mustNotBeConfigured(found)
      const before: Account = found.login?.data ?? emptyAccount(role)
      if (hash === null && !found.flaw && before.password === null && before.configured === null)
        refuse(`There is no ${role} in ${place}`)
      try {
        // a setting that no bundle has any more would go with the next start
        return await logins.put(role, withPasswords(before, { password: hash, configured: null }), found.rev)
      } catch (error) {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      }
    }
  }

  /** Where no bundle was, a new password would only seem to work. */
  const mustBeOfABundle = async (): Promise<void> => {
    const operator = await orIfInvalid(documents.get('accounts', 'operator'), () => 'broken')
    if (operator === null && !(await hasSessionKey(documents)))
      refuse(
        `No dashboard has started in ${place}: the first start makes a password. Is it the right place (DATA_DIR, STORE_URL)?`,
      )
  }

  /**
   * The key first: it is mended also where the password is one of a setting and stays, and no password is changed that
   * would not be shown then.
   */
  const change = async (password: string | null): Promise<void> => {
    await mustBeOfABundle()
    const isMended = await mendSessionKey(documents)
    await write(password).catch((error: unknown) => {
      if (!isMended || !isMadhavaError(error, 'CONFIG_INVALID')) throw error
      const why = `${error.message}. The key of the sessions could not be used, and there is a new one now`
      throw new MadhavaError('CONFIG_INVALID', why, { cause: error })
    })
  }
  return { change }
}

/**
 * Replaces a lost password and returns the new one; a viewer gets a first one in the same way. It is valid at once,
 * and ends every session of the login, since they are bound to the old one. A login, or a key of the sessions, that
 * cannot be used is made anew; a key also where the reset is refused.
 * @throws CONFIG_INVALID where the password is that of a setting, of this bundle or of any that lives, or where no
 * dashboard has started; STORE_UNAVAILABLE, STORE_FULL
 */
export const resetLogin = async (documents: Documents, options: ResetOptions): Promise<string> => {
  const password = newPassword()
  await openReset(documents, options).change(password)
  return password
}

/**
 * Takes the viewer's login away, with its sessions. The document stays, so that no start takes an old one over.
 * @throws as `resetLogin`, and CONFIG_INVALID when there is none
 */
export const removeViewer = async (documents: Documents, options: ResetOptions): Promise<void> =>
  openReset(documents, { ...options, role: 'viewer' }).change(null)
