// What a blob may be called, in every store and in an export.
import { MadhavaError } from '../../core/errors.ts'

export const BLOB_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/

/** @throws BAD_KEY */
export const parseBlobName = (name: unknown): string => {
  if (typeof name === 'string' && BLOB_NAME.test(name)) return name
  throw new MadhavaError('BAD_KEY', 'A blob is named by 1 to 64 lower case letters, digits, dots and dashes')
}
