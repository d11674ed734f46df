// A login gets a new password, or loses the one it has, also while bundles run.
import type { Documents } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { emptyAccount, type Login, openLogins, PASSWORD_SETTING, withPasswords } from './logins.ts'
import { hashPassword, newPassword } from './passwords.ts'
import type { Role } from './rights.ts'
import { hasSessionKey, mendSessionKey } from './session-key.ts'

export interface ResetOptions {
  /** Left out: the operator. */
  role?: Role
  /** The password of the settings, if they were read. */
  configured?: string | null
  /** Where the documents are, for people. */
  place: string
}

const openReset = (documents: Documents, { role = 'operator', configured = null, place }: ResetOptions) => {
  const logins = openLogins(documents)

  /** `broken`: what is there cannot be used. */
  const look = async (of: Role): Promise<Login | 'broken' | null> => {
    try {
      return await logins.get(of)
    } catch (error) {
      if (isMadhavaError(error, 'CONFIG_INVALID')) return 'broken'
      throw error
    }
  }
  const refuse = (why: string): never => {
    throw new MadhavaError('CONFIG_INVALID', why)
  }

  /** Writes until nobody else was faster. Null: there is no password of its own any more. */
  const write = async (password: string | null): Promise<void> => {
    const hash = password === null ? null : await hashPassword(password)
    for (;;) {
      const found = await look(role)
      const before = found === null || found === 'broken' ? emptyAccount(role) : found.data
      if (configured !== null || before.configured !== null)
        refuse(`The password is that of ${PASSWORD_SETTING[role]}: change it there and start anew`)
      if (hash === null && found !== 'broken' && before.password === null)
        refuse(`There is no ${role} in ${place}`)
      try {
        const rev = found === 'broken' ? 'any' : (found?.rev ?? null)
        return await logins.put(role, withPasswords(before, { password: hash }), rev)
      } catch (error) {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
      }
    }
  }

  /** Where no bundle was, a new password would only seem to work. */
  const mustBeOfABundle = async (): Promise<void> => {
    if ((await look('operator')) === null && !(await hasSessionKey(documents)))
      refuse(
        `No bundle has started in ${place}: its first start makes a password. Is it the right place (DATA_DIR, STORE_URL)?`,
      )
  }
  return { write, mustBeOfABundle }
}

/**
 * Replaces a lost password and returns the new one; a viewer gets a first one in the same way. It is valid at once,
 * and ends every session of the login, since they are bound to the old one. A login, or a key of the sessions, that
 * cannot be used is made anew. @throws CONFIG_INVALID where the password comes from a setting of any bundle, or no
 * bundle has started here; STORE_UNAVAILABLE
 */
export const resetLogin = async (documents: Documents, options: ResetOptions): Promise<string> => {
  const { write, mustBeOfABundle } = openReset(documents, options)
  await mustBeOfABundle()
  const password = newPassword()
  await write(password)
  await mendSessionKey(documents)
  return password
}

/**
 * Takes the viewer's login away, with its sessions. The document stays, so that no start takes an old one over. @throws
 * as `resetLogin`, and CONFIG_INVALID when there is none
 */
export const removeViewer = async (documents: Documents, options: ResetOptions): Promise<void> => {
  const { write, mustBeOfABundle } = openReset(documents, { ...options, role: 'viewer' })
  await mustBeOfABundle()
  await write(null)
}
