// The key that signs sessions: made once per store, so that a session of one bundle is one of all that share it.
import { randomBytes } from 'node:crypto'
import { openCollection, orIfInvalid } from '../../core/collection.ts'
import { SECRETS } from '../../core/collections.ts'
import type { Documents, ExpectedRev } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'

export const SESSION_KEY = 'session-key'
const KEY_BYTES = 32

const openSecrets = (documents: Documents) => {
  const secrets = openCollection(documents, 'secrets', SECRETS)
  return {
    async read(): Promise<Buffer | null> {
      const found = await secrets.get(SESSION_KEY)
      return found && Buffer.from(found.data.key, 'base64url')
    },
    async make(rev: ExpectedRev): Promise<void> {
      const key = randomBytes(KEY_BYTES).toString('base64url')
      await secrets.put(SESSION_KEY, { data: { key } }, rev)
    },
  }
}

/** Of several that make it at once, one does, and all have that one. @throws CONFIG_INVALID, STORE_UNAVAILABLE */
export const ensureSessionKey = async (documents: Documents): Promise<Buffer> => {
  const { read, make } = openSecrets(documents)
  try {
    const found = await read()
    if (found) return found
    await make(null).catch((error: unknown) => {
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
    const made = await read()
    if (made) return made
    throw new MadhavaError(
      'STORE_UNAVAILABLE',
      'The key of the sessions was removed when it had just been made',
    )
  } catch (error) {
    if (!isMadhavaError(error, 'DOCUMENT_INVALID')) throw error
    throw new MadhavaError(
      'CONFIG_INVALID',
      `The key of the sessions cannot be used (${error.message}); \`node bin/reset-password.mjs\` makes another, beside a new password`,
      { cause: error },
    )
  }
}

/** Also when it cannot be used. @throws STORE_UNAVAILABLE */
export const hasSessionKey = async (documents: Documents): Promise<boolean> =>
  (await orIfInvalid(openSecrets(documents).read(), () => 'broken')) !== null

/**
 * Puts a new key in the place of one that cannot be used. Does nothing when there is none, or a good one.
 * @returns whether it did. @throws STORE_UNAVAILABLE, STORE_FULL
 */
export const mendSessionKey = async (documents: Documents): Promise<boolean> => {
  const { read, make } = openSecrets(documents)
  if ((await orIfInvalid(read(), () => 'broken')) !== 'broken') return false
  await make('any')
  return true
}
