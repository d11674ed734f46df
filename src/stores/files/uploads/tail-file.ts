// A file that is written on from a place of its own: what stood there and behind it is cut off first.
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { NotPlainError } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'

export interface TailFile {
  append(bytes: Uint8Array): Promise<void>
  /** All of it is durable, but for its name. When it fails, what was appended is cut off again. */
  sync(): Promise<void>
  /** Whether its name still leads to it. */
  isThere(): Promise<boolean>
  close(): Promise<void>
}

export interface TailOptions {
  /** For tests. */
  sync?: (handle: FileHandle) => Promise<void>
}

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW
const MODE = 0o600
/** What the system says of a link (by kernel), a socket and a folder. */
const NOT_PLAIN = ['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR']

const openPlain = async (file: string): Promise<{ handle: FileHandle; size: number; ino: number }> => {
  const handle = await open(file, FLAGS, MODE).catch((error: unknown) => {
    throw isErrno(error, ...NOT_PLAIN) ? new NotPlainError() : error
  })
  try {
    const info = await handle.stat()
    if (!info.isFile() || info.nlink !== 1) throw new NotPlainError()
    return { handle, size: info.size, ino: info.ino }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Makes the file when it is missing. @throws RangeError when it ends before `offset`; NotPlainError for what is no
 * regular file of one name; what the file system says
 */
export const openTail = async (
  file: string,
  offset: number,
  { sync = handle => handle.sync() }: TailOptions = {},
): Promise<TailFile> => {
  const { handle, size, ino } = await openPlain(file)
  let at = offset
  try {
    if (size < offset) throw new RangeError(`it ends at ${size}`)
    if (size > offset) await handle.truncate(offset)
  } catch (error) {
    await handle.close()
    throw error
  }
  return {
    async append(bytes) {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at)
        written += bytesWritten
        at += bytesWritten
      }
    },
    async sync() {
      try {
        await sync(handle)
      } catch (error) {
        // the system may have dropped what it could not write, and the next sync would not say so
        await handle.truncate(offset)
        throw error
      }
    },
    async isThere() {
      try {
        return (await lstat(file)).ino === ino
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false
        throw error
      }
    },
    close: () => handle.close(),
  }
}
