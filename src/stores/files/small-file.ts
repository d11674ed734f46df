// Reading small files in the fewest calls: the reading of all state files at a start is made of this.
import { closeSync, constants, openSync, readSync } from 'node:fs'

/** Larger ones are read in another way. */
const buffer = Buffer.allocUnsafe(64 * 1024)
/** A pipe or a link in the place of a file must neither hold us up nor lead us elsewhere. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** The whole text; null when it has to be looked at more closely. @throws what the file system says */
export const readSmall = (file: string): string | null => {
  const fd = openSync(file, READ)
  try {
    const bytes = readSync(fd, buffer, 0, buffer.length, 0)
    return bytes < buffer.length ? buffer.toString('utf8', 0, bytes) : null
  } finally {
    closeSync(fd)
  }
}
