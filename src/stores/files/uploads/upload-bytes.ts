// The bytes of uploads: `upload-bytes/<last two hex digits>/<id>`, one file each, written in place. A file that is not
// ours (a link, one with further names) counts as none.
import { mkdir, unlink } from 'node:fs/promises'
import path from 'node:path'
import { MadhavaError } from '../../../core/errors.ts'
import type { StoredUpload } from '../../../core/upload-bytes.ts'
import { parseUploadCursor, refuseGap, uploadGone } from '../../shared/upload-calls.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { FreeSpace } from '../free-space.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'
import type { TailFile } from './tail-file.ts'
import { createUploadFiles } from './upload-files.ts'
import type { FileUploads } from './upload-port.ts'

interface UploadBytesDeps {
  layout: Layout
  disk: Disk
  space: FreeSpace
  committer: Pick<Committer, 'syncing'>
}

/** A piece is written in parts of at most so many bytes, and the space is asked before each. */
const PART_BYTES = 1024 * 1024

export const createUploadBytes = ({ layout, disk, space, committer }: UploadBytesDeps): FileUploads => {
  const { isOurs, sizeOf, read, idsIn } = createUploadFiles(layout)

  const removeFile = async (id: SafeId): Promise<void> => {
    // behind a link the file would be another's
    if (!isOurs(layout.uploadFolder(id))) return
    try {
      await unlink(layout.upload(id))
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }

  const openFrom = async (id: SafeId, offset: number): Promise<TailFile> => {
    const folder = layout.uploadFolder(id)
    try {
      await mkdir(folder, { mode: 0o700 })
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error
    }
    if (!isOurs(folder))
      throw new MadhavaError('STORE_UNAVAILABLE', 'What stands in the place of a folder of uploads is none')
    const size = sizeOf(id)
    refuseGap(size, offset)
    // what is not ours counts as none: its name is taken from it, and nothing is written behind it
    if (size === null) await removeFile(id)
    try {
      return await disk.writeOn(layout.upload(id), offset)
    } catch (error) {
      if (isErrno(error, 'EFTYPE'))
        throw new MadhavaError(
          'STORE_UNAVAILABLE',
          'What stands in the place of an upload is no file of its own',
        )
      throw error
    }
  }

  return {
    async write(given, offset, bytes) {
      const id = parseId(given)
      space.forUpload()
      const file = await openFrom(id, offset)
      let size = offset
      try {
        for await (const piece of bytes) {
          const whole = typeof piece === 'string' ? Buffer.from(piece) : piece
          for (let at = 0; at < whole.length; at += PART_BYTES) {
            const part = whole.subarray(at, at + PART_BYTES)
            space.forUpload()
            await file.append(part)
            space.noteWritten(part.length)
            size += part.length
          }
        }
        await file.sync()
        if (!(await file.isThere())) throw uploadGone()
      } finally {
        await file.close()
      }
      await committer.syncing(() => disk.sync([layout.uploadFolder(id), layout.uploadBytes]))
      return size
    },

    read: (given, range) => read(parseId(given), range),
    size: async given => sizeOf(parseId(given)),
    remove: given => removeFile(parseId(given)),

    async list({ limit, cursor }) {
      const after = parseUploadCursor(cursor, parseId)
      const found: StoredUpload[] = []
      for (const folder of layout.shardsOf(layout.uploadBytes)) {
        const shard = path.basename(folder)
        if (after !== null && shard < after.slice(-2)) continue
        for (const id of await idsIn(folder)) {
          if (after !== null && shard === after.slice(-2) && id <= after) continue
          const bytes = sizeOf(id)
          if (bytes === null) continue
          if (found.length === limit) return { uploads: found, next: found.at(-1)?.id ?? null }
          found.push({ id, bytes })
        }
      }
      return { uploads: found, next: null }
    },
  }
}
