// Seals cursors with a key that is made once per store, so that a cursor of one host is good on all that share it.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Actor } from '../core/actor.ts'
import { openCollection } from '../core/collection.ts'
import { SECRETS } from '../core/collections.ts'
import type { CursorSeal } from '../core/cursor-seal.ts'
import type { Documents } from '../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'

const NAME = 'cursor-key'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

/** Whom a cursor is good for. */
const holderOf = ({ account, credential }: Actor): string =>
  JSON.stringify([account, account === null ? credential : null])
const ownerOf = (actor: Actor): Buffer => Buffer.from(holderOf(actor))

export const createCursorSeal = (key: Buffer): CursorSeal => ({
  holder: holderOf,

  seal(cursor, actor) {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(ownerOf(actor))
    const text = Buffer.concat([cipher.update(cursor, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
  },
  open(sealed, actor) {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length <= IV_BYTES + TAG_BYTES) return null
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES))
        .setAAD(ownerOf(actor))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]
      return Buffer.concat(text).toString('utf8')
    } catch {
      return null
    }
  },
})

/** @throws STORE_UNAVAILABLE, DOCUMENT_INVALID */
const ensureKey = async (documents: Documents): Promise<Buffer> => {
  const secrets = openCollection(documents, 'secrets', SECRETS)
  const made = { data: { key: randomBytes(KEY_BYTES).toString('base64url') } }
  if ((await secrets.get(NAME)) === null)
    await secrets.put(NAME, made, null).catch((error: unknown) => {
      // of several that make it at once, one does, and all have that one
      if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
    })
  const found = await secrets.get(NAME)
  if (found) return Buffer.from(found.data.key, 'base64url')
  throw new MadhavaError('STORE_UNAVAILABLE', 'The key of the cursors was removed when it had just been made')
}

/** The seal, read when it is first wanted. */
export const openCursorSeals = (documents: Documents): (() => Promise<CursorSeal>) => {
  let opening: Promise<CursorSeal> | null = null
  return () => {
    opening ??= ensureKey(documents).then(createCursorSeal)
    opening.catch(() => {
      opening = null
    })
    return opening
  }
}
