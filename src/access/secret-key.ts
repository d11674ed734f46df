// The keys that this installation seals and signs with: each is made once per store, so that all hosts that share it
// have the same.
import { randomBytes } from 'node:crypto'
import { openCollection } from '../core/collection.ts'
import { SECRETS } from '../core/collections.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'

const KEY_BYTES = 32

/** The key of this name, made where there is none. @throws STORE_UNAVAILABLE, STORE_FULL, DOCUMENT_INVALID */
export const ensureSecretKey = async (documents: Documents, name: string): Promise<Buffer> => {
  const secrets = openCollection(documents, 'secrets', SECRETS)
  const made = { data: { key: randomBytes(KEY_BYTES).toString('base64url') } }
  if ((await secrets.get(name)) === null)
    await secrets.put(name, made, null).catch((error: unknown) => {
      // of several that make it at once, one does, and all have that one
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
  const found = await secrets.get(name)
  if (found) return Buffer.from(found.data.key, 'base64url')
  throw new MadhavaError('STORE_UNAVAILABLE', `${name} was removed when it had just been made`)
}

/** What is made of the key, read when it is first wanted. What fails is tried anew. */
export const openedWithKey = <T>(
  documents: Documents,
  name: string,
  open: (key: Buffer) => T,
): (() => Promise<T>) => {
  let opening: Promise<T> | null = null
  return () => {
    opening ??= ensureSecretKey(documents, name).then(open)
    opening.catch(() => {
      opening = null
    })
    return opening
  }
}
