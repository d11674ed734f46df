// The one way to open a file by its name where others may have put something in its place: a symbolic link must not
// lead us elsewhere, a pipe must not hold us up, a device must not feed us without end. Only regular files are opened.
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** For opening something that is known to be a file, or is read in one bounded call. */
export const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** What stands there is no regular file, or one with more names where that is not allowed. Its `code` is EFTYPE. */
export class NotPlainError extends Error {
  readonly code = 'EFTYPE'
  constructor() {
    super('it is not a regular file of its own')
    this.name = 'NotPlainError'
  }
}

/** What the system says of a link (by kernel), and of a socket. */
const NOT_PLAIN = ['ELOOP', 'EMLINK', 'ENXIO']
const told = (error: unknown): unknown =>
  NOT_PLAIN.includes((error as NodeJS.ErrnoException).code ?? '') ? new NotPlainError() : error

export interface OpenOptions {
  /** Refuse a file with further names: one of them may be elsewhere, and the bytes another's. */
  oneName?: boolean
}
const mustBePlain = (info: Stats, { oneName = false }: OpenOptions): Stats => {
  if (!info.isFile() || (oneName && info.nlink > 1)) throw new NotPlainError()
  return info
}

export interface PlainFd {
  fd: number
  info: Stats
}

/** The caller closes `fd`. @throws NotPlainError, and what the file system says */
export const openPlainSync = (file: string, options: OpenOptions = {}): PlainFd => {
  let fd: number
  try {
    fd = openSync(file, READ_FLAGS)
  } catch (error) {
    throw told(error)
  }
  try {
    return { fd, info: mustBePlain(fstatSync(fd), options) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** As `openPlainSync`; the caller closes `handle`. */
export const openPlain = async (
  file: string,
  options: OpenOptions = {},
): Promise<{ handle: FileHandle; info: Stats }> => {
  const handle = await open(file, READ_FLAGS).catch((error: unknown) => {
    throw told(error)
  })
  try {
    return { handle, info: mustBePlain(await handle.stat(), options) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

const tooLarge = (maxBytes: number): Error =>
  Object.assign(new Error(`it has more than ${maxBytes} bytes`), { code: 'EFBIG' })

/** The bytes that it had when it was opened. @throws NotPlainError, EFBIG, and what the file system says */
export const readPlainSync = (file: string, maxBytes: number): Buffer => {
  const { fd, info } = openPlainSync(file)
  try {
    if (info.size > maxBytes) throw tooLarge(maxBytes)
    const bytes = Buffer.allocUnsafe(info.size)
    let filled = 0
    while (filled < bytes.length) {
      const got = readSync(fd, bytes, filled, bytes.length - filled, filled)
      if (got === 0) break
      filled += got
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}

/** As `readPlainSync`; null when there is none. For small files: it reads in one call. */
export const readPlain = async (file: string, maxBytes: number): Promise<Buffer | null> => {
  const opened = await openPlain(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  })
  if (!opened) return null
  const { handle, info } = opened
  try {
    if (info.size > maxBytes) throw tooLarge(maxBytes)
    const bytes = Buffer.alloc(info.size)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/** Whether a folder stands there, and no link to one. */
export const isRealFolder = (folder: string): boolean =>
  lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
