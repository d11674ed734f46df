// Cancel requests: files `revoke/<id>` beside the record of a task that is held, until its holder has written them
// there.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { isFinal, type TaskRecord } from '../../../core/task.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Staged } from '../log/committer.ts'

/** When a cancel was asked, and the highest claim number that was taken then. */
export interface CancelRequest {
  at: string
  claim: number
}

/**
 * The time of a request that is for this record, or null. Whoever takes the task under a later number than the
 * request's sees it and ends the task. So a request with a number below the record's was overtaken by an end, and
 * must not meet a task that was started again by hand.
 */
export const cancelRequestedAt = (task: TaskRecord, request: CancelRequest | null): string | null =>
  request && request.claim >= task.claim && !isFinal(task.status) ? request.at : null

export interface CancelRequests {
  read(id: SafeId): CancelRequest | null
  /** The first request under a claim number stays. */
  write(id: SafeId, at: string, claim: number): Staged<void>
  remove(id: SafeId): void
}

const REQUEST_BYTES_MAX = 1024
const REQUEST = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?: (\d{1,15}))?\n?$/

/**
 * A request without a number, as the first version wrote them, holds for any. Null: there is none, or no time in it.
 */
export const readCancelRequest = (file: string): CancelRequest | null => {
  // checked at every move and nearly never there, so an error each time would be expensive
  if (!existsSync(file)) return null
  try {
    // a power cut can leave an empty file that was never acknowledged; if it was, recovery replaces it
    const [, at, claim] = REQUEST.exec(readPlainSync(file, REQUEST_BYTES_MAX).toString()) ?? []
    return at === undefined ? null : { at, claim: claim === undefined ? Infinity : Number(claim) }
  } catch (error) {
    // what is no file, or too long, has no time in it either
    if (isErrno(error, 'ENOENT', 'EFTYPE', 'EFBIG')) return null
    throw error
  }
}

export const createCancelRequests = (layout: Layout, disk: Disk): CancelRequests => ({
  read: id => readCancelRequest(layout.revoke(id)),
  write(id, at, claim) {
    const tmpFile = path.join(layout.revokes, `.${id}.${randomBytes(6).toString('hex')}.tmp`)
    const discard = () => disk.unlink(tmpFile)
    disk.write(tmpFile, `${at} ${claim}\n`)
    return {
      show() {
        const file = layout.revoke(id)
        if (disk.link(tmpFile, file) || (readCancelRequest(file)?.claim ?? -1) >= claim) discard()
        else disk.rename(tmpFile, file)
      },
      discard,
    }
  },
  remove(id) {
    if (existsSync(layout.revoke(id))) disk.unlink(layout.revoke(id))
  },
})
