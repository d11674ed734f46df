// The few things the store does to the disk where the order and the syncs matter for a power cut, in one place, so
// that a test can record them and rebuild what a disk may have kept.
import { execFile } from 'node:child_process'
import {
  closeSync,
  fdatasync,
  ftruncateSync,
  linkSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { isErrno } from './errno.ts'

/** A file that only grows. */
export interface Appender {
  readonly size: number
  /** All or nothing: what a full disk cut off is taken back. */
  append(bytes: Uint8Array): void
  /** Everything appended so far is durable when it resolves. */
  sync(): Promise<void>
  close(): void
}

export interface Disk {
  /** A new file, whole; not yet durable. */
  write(file: string, data: string): void
  append(file: string): Appender
  rename(from: string, to: string): void
  /** False when the name is taken. */
  link(from: string, to: string): boolean
  /** False when the name is taken. */
  symlink(target: string, file: string): boolean
  /** Nothing happens when it is not there. */
  unlink(file: string): void
  /** Makes these files and folders durable, content and names; one that has gone is passed over. */
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
    handle = await open(file, 'r')
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

/** False where `sync` of the machine cannot sync one file system. */
const syncAll = async (file: string): Promise<boolean> => {
  try {
    await run('sync', ['-f', file], { timeout: SYNC_ALL_MS })
    return true
  } catch {
    return false
  }
}

const openAppender = (file: string): Appender => {
  const fd = openSync(file, 'a', FILE_MODE)
  let size = 0
  return {
    get size() {
      return size
    },
    append(bytes) {
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
        size += bytes.length
      } catch (error) {
        ftruncateSync(fd, size)
        throw error
      }
    },
    sync: () => new Promise((resolve, reject) => fdatasync(fd, error => (error ? reject(error) : resolve()))),
    close: () => closeSync(fd),
  }
}

export const createDisk = (): Disk => ({
  write: (file, data) => writeFileSync(file, data, { flag: 'wx', mode: FILE_MODE }),
  append: openAppender,
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
