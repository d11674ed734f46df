// Reading small files in the fewest calls: the reading of all state files at a start is made of this.
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs'
import { READ_FLAGS } from '../../platform/plain-file.ts'
import { isErrno } from './errno.ts'

/** Larger ones are read in another way. */
const buffer = Buffer.allocUnsafe(64 * 1024)
/** The whole text; null when it has to be looked at more closely. @throws what the file system says */
export const readSmall = (file: string): string | null => {
  const fd = openSync(file, READ_FLAGS)
  try {
    const bytes = readSync(fd, buffer, 0, buffer.length, 0)
    return bytes < buffer.length ? buffer.toString('utf8', 0, bytes) : null
  } finally {
    closeSync(fd)
  }
}

/** What a link says; null when there is none, an empty text for anything else in its place, which names nobody. */
export const linkTarget = (file: string): string | null => {
  try {
    return readlinkSync(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    if (isErrno(error, 'EINVAL')) return ''
    throw error
  }
}
