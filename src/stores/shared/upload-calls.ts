// What all adapters say of the bytes of uploads: which offset is refused, and what a cursor is.
import { MadhavaError } from '../../core/errors.ts'

/** `size`: null where nothing is. @throws BAD_REQUEST when bytes would be missing before `offset` */
export const refuseGap = (size: number | null, offset: number): void => {
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new MadhavaError('BAD_REQUEST', 'An offset is a number of bytes')
  if (offset > (size ?? 0))
    throw new MadhavaError('BAD_REQUEST', `The upload ends at ${size ?? 0}, before ${offset}`)
}

/** It was removed while somebody wrote it. */
export const uploadGone = (): MadhavaError =>
  new MadhavaError('UPLOAD_NOT_FOUND', 'The upload was removed while its bytes came')

/** The id that a page comes after. @throws BAD_CURSOR */
export const parseUploadCursor = <Id extends string>(
  cursor: string | null,
  parseId: (id: string) => Id,
): Id | null => {
  if (cursor === null) return null
  try {
    const id = parseId(cursor)
    if (id === cursor) return id
  } catch {
    // said below
  }
  throw new MadhavaError('BAD_CURSOR')
}
