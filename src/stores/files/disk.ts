// The few things the store does to the disk where the order and the syncs matter for a power cut, in one place, so
// that a test can record them and rebuild what a disk may have kept.
import { execFile } from 'node:child_process'
import {
  closeSync,
  createWriteStream,
  fdatasync,
  ftruncateSync,
  linkSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { READ_FLAGS } from '../../platform/plain-file.ts'
import { isErrno } from './errno.ts'
import { openTail, type TailFile, type TailOptions } from './uploads/tail-file.ts'

/** A file that only grows. */
export interface Appender {
  readonly size: number
  /** All or nothing: what a full disk cut off is taken back, and nothing more is appended before it is. */
  append(bytes: Uint8Array): void
  /** Everything appended so far is durable when it resolves. Failed once, the next success would mean nothing. */
  sync(): Promise<void>
  close(): void
}

export interface Disk {
  /** A new file, whole or not at all; not yet durable. */
  write(file: string, data: string): void
  /** A new file, whole or not at all, and durable but for its name; answers its size. */
  writeThrough(file: string, data: Uint8Array | Readable, mode?: number): Promise<number>
  /**
   * `ahead`: the file is kept longer than what stands in it, by NUL bytes, until it is closed. A sync then writes the
   * bytes alone; where a file grows, the file system has its length to write with each, and holds up whoever makes or
   * renames files meanwhile. Not for a file that others read while it is written.
   */
  append(file: string, ahead?: boolean): Appender
  /** A file is written on from `offset`; what stood there and behind it is gone. As `openTail`. */
  writeOn(file: string, offset: number, options?: TailOptions): Promise<TailFile>
  rename(from: string, to: string): void
  /** False when the name is taken. */
  link(from: string, to: string): boolean
  /** False when the name is taken. */
  symlink(target: string, file: string): boolean
  /** Nothing happens when it is not there. */
  unlink(file: string): void
  /**
   * Makes these files and folders durable, content and names; one that has gone is passed over. Failed once, the next
   * success would mean nothing: the system may have dropped what it could not write.
   */
  sync(paths: readonly string[]): Promise<void>
}

const run = promisify(execFile)
const FILE_MODE = 0o640
/** From so many on, one call for the whole file system is cheaper than one for each. */
const SYNC_ALL_FROM = 100
const SYNC_ALL_MS = 60_000

const unlessTaken = (make: () => void): boolean => {
  try {
    make()
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

const syncOne = async (file: string): Promise<void> => {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(file, READ_FLAGS)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What `sync` says when it has not come to syncing. Any other error is a sync that failed. */
const NOT_TRIED = /open|no such file|invalid|unrecognized|usage/i

/** False where `sync` of the machine cannot sync one file system, or takes too long. @throws when the sync failed */
const syncAll = async (file: string): Promise<boolean> => {
  try {
    await run('sync', ['-f', file], { timeout: SYNC_ALL_MS, env: { LC_ALL: 'C' } })
    return true
  } catch (error) {
    const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: string }
    if (typeof code !== 'number' || killed || NOT_TRIED.test(stderr ?? '')) return false
    throw Object.assign(new Error('the file system cannot be synced', { cause: error }), { code: 'EIO' })
  }
}

/**
 * As `writeFileSync`, without the checks that it makes for other callers: it takes a quarter of the time.
 */
const writeNew = (file: string, bytes: Buffer): void => {
  const fd = openSync(file, 'wx', FILE_MODE)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at)
  } finally {
    closeSync(fd)
  }
}

/** Half a file; when even that fails, the sweep finds it. */
const takeAway = (file: string): void => {
  try {
    rmSync(file, { force: true })
  } catch {
    // the caller gets the earlier error
  }
}

/**
 * As much again as stands in the file is written ahead, within these bounds, and never more than a small part of what
 * is free: the free space of the disk must not seem to vanish at once.
 */
const AHEAD_BYTES = { min: 64 * 1024, max: 4 * 1024 * 1024 }
const AHEAD_SHARE = 1 / 32

const freeBytesBy = (file: string): number => {
  try {
    const { bavail, bsize } = statfsSync(path.dirname(file))
    return bavail * bsize
  } catch {
    return 0
  }
}

const openAppender = (file: string, ahead: boolean): Appender => {
  const fd = openSync(file, 'w', FILE_MODE)
  let size = 0
  /** The length of the file. */
  let length = 0
  let torn = false
  const mend = (): void => {
    if (torn) ftruncateSync(fd, size)
    if (torn) length = size
    torn = false
  }
  const writeAt = (bytes: Uint8Array, place: number): void => {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, place + at)
  }
  const writeAhead = (until: number): void => {
    if (!ahead || until <= length) return
    const more = Math.min(AHEAD_BYTES.max, Math.max(AHEAD_BYTES.min, size), freeBytesBy(file) * AHEAD_SHARE)
    const zeros = Buffer.alloc(until - length + Math.floor(more))
    try {
      writeAt(zeros, length)
      length += zeros.length
    } catch {
      // without space for more than is needed the bytes themselves may still fit; if not, they say what is wrong
      ftruncateSync(fd, length)
    }
  }
  return {
    get size() {
      return size
    },
    append(bytes) {
      mend()
      writeAhead(size + bytes.length)
      torn = true
      try {
        writeAt(bytes, size)
      } catch (error) {
        try {
          mend()
        } catch {
          // tried again before the next append
        }
        throw error
      }
      size += bytes.length
      length = Math.max(length, size)
      torn = false
    },
    sync: () => new Promise((resolve, reject) => fdatasync(fd, error => (error ? reject(error) : resolve()))),
    close() {
      try {
        if (length > size) ftruncateSync(fd, size)
      } catch {
        // readers pass over what is written ahead
      }
      closeSync(fd)
    },
  }
}

export const createDisk = (): Disk => ({
  write(file, data) {
    try {
      writeNew(file, Buffer.from(data))
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) takeAway(file)
      throw error
    }
  },
  async writeThrough(file, data, mode = FILE_MODE) {
    try {
      const source = data instanceof Readable ? data : Readable.from([data])
      await pipeline(source, createWriteStream(file, { flags: 'wx', mode, flush: true }))
      return (await stat(file)).size
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) takeAway(file)
      throw error
    }
  },
  append: (file, ahead = false) => openAppender(file, ahead),
  writeOn: openTail,
  rename: renameSync,
  link: (from, to) => unlessTaken(() => linkSync(from, to)),
  symlink: (target, file) => unlessTaken(() => symlinkSync(target, file)),
  unlink(file) {
    try {
      unlinkSync(file)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  },
  async sync(paths) {
    const [first] = paths
    if (first === undefined) return
    if (paths.length >= SYNC_ALL_FROM && (await syncAll(first))) return
    for (const file of paths) await syncOne(file)
  },
})

/** For small files, read in the fewest calls: the reading of all state files at a start is made of this. */
const buffer = Buffer.allocUnsafe(64 * 1024)
/** The whole text of a file; null where it is larger, to be read in another way. @throws what the file system says */
export const readSmall = (file: string): string | null => {
  const fd = openSync(file, READ_FLAGS)
  try {
    const bytes = readSync(fd, buffer, 0, buffer.length, 0)
    return bytes < buffer.length ? buffer.toString('utf8', 0, bytes) : null
  } finally {
    closeSync(fd)
  }
}

/** What a link says; null when there is none; an empty text, which names no process, for what is no link. */
export const linkTarget = (file: string): string | null => {
  try {
    return readlinkSync(file)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    if (isErrno(error, 'EINVAL')) return ''
    throw error
  }
}
