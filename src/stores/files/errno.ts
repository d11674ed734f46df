// What a failed system call means to the store.
import { MadhavaError } from '../../core/errors.ts'

export const isErrno = (error: unknown, ...codes: string[]): error is NodeJS.ErrnoException =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')

/** The disk has no block, no inode or no quota left. */
export const isFull = (error: unknown): boolean => isErrno(error, 'ENOSPC', 'EDQUOT')

const REASONS: Record<string, string> = {
  EROFS: 'it is mounted read-only',
  EIO: 'the disk reports an error',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
}

/** An error of the file system as one that a client may see: the reason without the path. */
export const storeError = (error: unknown): unknown => {
  if (error instanceof MadhavaError || !(error instanceof Error)) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) return error
  if (isFull(error))
    return new MadhavaError(
      'STORE_FULL',
      `The data folder's disk is full (${code}). Make room on it; a task that runs waits for that`,
      { cause: error },
    )
  const reason = REASONS[code] === undefined ? code : `${REASONS[code]}, ${code}`
  return new MadhavaError('STORE_UNAVAILABLE', `The data folder cannot be used (${reason})`, { cause: error })
}
