// Texts that go out and come back, which nobody else can read or make. Pure but for the random numbers.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16
const CIPHER = 'aes-256-gcm'

export interface TextSeal {
  /** @param about what the text is good for; it opens with the same alone. @returns base64url */
  seal(text: string, about: string): string
  /** Null for what was not sealed with this key, or for something else. */
  open(sealed: string, about: string): string | null
}

/** @param key 32 bytes */
export const createTextSeal = (key: Buffer): TextSeal => ({
  seal(text, about) {
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(about))
    const bytes = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), bytes]).toString('base64url')
  },
  open(sealed, about) {
    const bytes = Buffer.from(sealed, 'base64url')
    if (bytes.length <= IV_BYTES + TAG_BYTES) return null
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(about))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      const text = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]
      return Buffer.concat(text).toString('utf8')
    } catch {
      return null
    }
  },
})
