// Blobs: `blobs/<last two hex digits>/<id>/<name>`, streamed to a temporary file, synced, renamed.
import { createReadStream, existsSync, lstatSync, readdirSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { MadhavaError } from '../../../core/errors.ts'
import type { BlobInfo } from '../../../core/store.ts'
import { isAside } from '../../../platform/atomic-file.ts'
import { isRealFolder, openPlain } from '../../../platform/plain-file.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { FreeSpace } from '../free-space.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'

export interface Blobs {
  put(id: SafeId, name: string, bytes: Uint8Array | Readable): Promise<BlobInfo>
  get(
    id: SafeId,
    name: string,
    range?: { start: number; end: number },
  ): Promise<{ bytes: number; stream: Readable } | null>
  remove(id: SafeId, name: string): Promise<void>
  list(id: SafeId): BlobInfo[]
  /** Removes what processes that are dead have left half written here. */
  removeAside(id: SafeId, isAlive: (instance: string) => Promise<boolean>): Promise<void>
  removeAll(id: SafeId): Promise<void>
  /** Whether a folder is here for this id. */
  exist(id: SafeId): boolean
  /** Ids that have a folder here. */
  ids(): SafeId[]
  /** Bytes of all blobs of a task. */
  size(id: SafeId): number
}

interface BlobsDeps {
  layout: Layout
  disk: Disk
  space: FreeSpace
  committer: Pick<Committer, 'syncing'>
  /** This process, in the names of files that are being written. */
  instance: string
  /** A different text at every call. */
  unique: () => string
}

const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

/** The folder of a task's blobs and its parent are real folders, not links. */
const isOurs = (folder: string): boolean => isRealFolder(path.dirname(folder)) && isRealFolder(folder)

/** The process that writes a file aside; null: a version that did not name it. */
const writerOf = (name: string): string | null =>
  /\.([0-9a-f]{12})\.[0-9a-f]{12}\.tmp$/.exec(name)?.[1] ?? null

export const createBlobs = ({ layout, disk, space, committer, instance, unique }: BlobsDeps): Blobs => {
  const list = (id: SafeId): BlobInfo[] => {
    const folder = layout.blobFolder(id)
    if (!isOurs(folder)) return []
    try {
      return readdirSync(folder).flatMap(name => {
        if (isAside(name)) return []
        const found = lstatSync(path.join(folder, name), { throwIfNoEntry: false })
        return found?.isFile() && found.nlink === 1 ? [{ name, bytes: found.size }] : []
      })
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  }

  return {
    list,
    async removeAside(id, isAlive) {
      const folder = layout.blobFolder(id)
      if (!isOurs(folder)) return
      for (const name of readdirSync(folder)) {
        const writer = isAside(name) ? writerOf(name) : null
        if (writer !== null && !(await isAlive(writer))) disk.unlink(path.join(folder, name))
      }
    },
    exist: id => existsSync(layout.blobFolder(id)),
    size: id => list(id).reduce((sum, blob) => sum + blob.bytes, 0),
    async put(id, name, bytes) {
      const file = layout.blob(id, name)
      const folder = layout.blobFolder(id)
      if (!(bytes instanceof Readable)) space.forBytes(bytes.length)
      // one after the other: on a disk that may only be read `recursive` says ENOENT
      for (const wanted of [path.dirname(folder), folder]) await makeFolder(wanted)
      // nothing is written behind a link
      if (!isOurs(folder))
        throw new MadhavaError('STORE_UNAVAILABLE', 'What stands in the place of a folder of blobs is none')
      const tmpFile = path.join(folder, `.${name}.${instance}.${unique()}.tmp`)
      // a failed sync does no harm here: the file is removed, and the next try writes another one
      const size = await disk.writeThrough(tmpFile, bytes)
      try {
        disk.rename(tmpFile, file)
      } catch (error) {
        disk.unlink(tmpFile)
        throw error
      }
      await committer.syncing(() => disk.sync([folder, path.dirname(folder), layout.blobs]))
      return { name, bytes: size }
    },
    async get(id, name, range) {
      try {
        // opened before it is measured: a blob that is replaced meanwhile stays readable as it was
        if (!isOurs(layout.blobFolder(id))) return null
        const { handle, info } = await openPlain(layout.blob(id, name), { oneName: true })
        const { size } = info
        const start = Math.min(range?.start ?? 0, size)
        const end = Math.min(range?.end ?? size, size)
        if (start >= end) {
          await handle.close()
          return { bytes: size, stream: Readable.from([]) }
        }
        return { bytes: size, stream: createReadStream('', { fd: handle, start, end: end - 1 }) }
      } catch (error) {
        // a file that is not a blob of ours is ignored: its bytes may be anyone's
        if (isErrno(error, 'ENOENT', 'EFTYPE')) return null
        throw error
      }
    },
    remove: async (id, name) => rm(layout.blob(id, name), { force: true }),
    removeAll: async id => rm(layout.blobFolder(id), { recursive: true, force: true }),
    ids: () =>
      readdirSync(layout.blobs, { withFileTypes: true }).flatMap(shard =>
        // what somebody has put there by hand
        !shard.isDirectory()
          ? []
          : readdirSync(path.join(layout.blobs, shard.name)).flatMap(name => {
              try {
                return [parseId(name)]
              } catch {
                return []
              }
            }),
      ),
  }
}
