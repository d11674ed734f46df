// The files of uploads, for whoever only reads: the store, an export, a check of the folder.
import { lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { isRealFolder, openPlain } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import { readRange } from './read-range.ts'

export interface UploadFiles {
  /** The folder and the one above it are real ones, no links. */
  isOurs(folder: string): boolean
  /** Null where there is none, or something that is not ours. */
  sizeOf(id: SafeId): number | null
  read(
    id: SafeId,
    range?: { start: number; end: number },
  ): Promise<{ bytes: number; stream: Readable } | null>
  /** Of one of the 256 folders, in their order; none where there is no folder. */
  idsIn(folder: string): Promise<SafeId[]>
}

export const createUploadFiles = (layout: Layout): UploadFiles => {
  const isOurs = (folder: string): boolean => isRealFolder(layout.uploadBytes) && isRealFolder(folder)
  return {
    isOurs,
    sizeOf(id) {
      if (!isOurs(layout.uploadFolder(id))) return null
      const found = lstatSync(layout.upload(id), { throwIfNoEntry: false })
      return found?.isFile() && found.nlink === 1 ? found.size : null
    },
    async read(id, range) {
      if (!isOurs(layout.uploadFolder(id))) return null
      try {
        // opened before it is measured: what is removed meanwhile stays readable
        const { handle, info } = await openPlain(layout.upload(id), { oneName: true })
        const end = Math.min(range?.end ?? info.size, info.size)
        return { bytes: info.size, stream: readRange(handle, range?.start ?? 0, end) }
      } catch (error) {
        if (isErrno(error, 'ENOENT', 'EFTYPE')) return null
        throw error
      }
    },
    async idsIn(folder) {
      if (!isRealFolder(folder)) return []
      const shard = path.basename(folder)
      const names = await readdir(folder).catch((error: unknown) => {
        if (isErrno(error, 'ENOENT')) return []
        throw error
      })
      return names.sort().flatMap(name => {
        try {
          const id = parseId(name)
          return id === name && id.endsWith(shard) ? [id] : []
        } catch {
          return []
        }
      })
    },
  }
}
