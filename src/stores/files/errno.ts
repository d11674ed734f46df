// What a failed system call means to the store.
import { MadhavaError } from '../../core/errors.ts'

export const isErrno = (error: unknown, ...codes: string[]): error is NodeJS.ErrnoException =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')

/** An error of the file system as one that a client may see: the reason without the path. */
export const storeError = (error: unknown): unknown => {
  if (error instanceof MadhavaError || !(error instanceof Error)) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) return error
  return new MadhavaError('STORE_UNAVAILABLE', `The data folder cannot be used (${code})`, { cause: error })
}
