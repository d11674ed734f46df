// Small facts beside the records: the wish to cancel a task that is held, and the idempotency keys.

import { randomBytes } from 'node:crypto'
import { existsSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { MadhavaError } from '../../../core/errors.ts'
import { isFinal, type TaskRecord } from '../../../core/task.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import type { Staged } from '../log/committer.ts'

/** When a cancel was asked, and the highest claim number that was taken then. */
export interface CancelRequest {
  at: string
  claim: number
}

/**
 * The time of a wish that is for this record, or null. Whoever takes the task under a later number than the wish's sees
 * it and ends the task; so a wish with a number below the record's was overtaken by an end, and must not meet a task
 * that was started again by hand.
 */
export const wishFor = (task: TaskRecord, wish: CancelRequest | null): string | null =>
  wish && wish.claim >= task.claim && !isFinal(task.status) ? wish.at : null

export interface CancelRequests {
  read(id: SafeId): CancelRequest | null
  /** The first wish under a claim number stays. */
  write(id: SafeId, at: string, claim: number): Staged<void>
  remove(id: SafeId): void
}

const WISH_BYTES_MAX = 1024
const WISH = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)(?: (\d{1,15}))?\n?$/

/** A wish without a number, as the first version wrote them, holds for any. Null: there is none, or no time in it. */
export const readCancelRequest = (file: string): CancelRequest | null => {
  // asked at every move and nearly never there: an error for each would be dear
  if (!existsSync(file)) return null
  try {
    // a power cut can leave one empty that nobody was told of; recovery replaces it where somebody was
    const [, at, claim] = WISH.exec(readPlainSync(file, WISH_BYTES_MAX).toString()) ?? []
    return at === undefined ? null : { at, claim: claim === undefined ? Infinity : Number(claim) }
  } catch (error) {
    // what is something else, or too long, has no time in it either
    if (isErrno(error, 'ENOENT', 'EFTYPE', 'EFBIG')) return null
    throw error
  }
}

export const createCancelRequests = (layout: Layout, disk: Disk): CancelRequests => ({
  read: id => readCancelRequest(layout.revoke(id)),
  write(id, at, claim) {
    const aside = path.join(layout.revokes, `.${id}.${randomBytes(6).toString('hex')}.tmp`)
    const discard = () => disk.unlink(aside)
    disk.write(aside, `${at} ${claim}\n`)
    return {
      show() {
        const file = layout.revoke(id)
        if (disk.link(aside, file) || (readCancelRequest(file)?.claim ?? -1) >= claim) discard()
        else disk.rename(aside, file)
      },
      discard,
    }
  },
  remove(id) {
    if (existsSync(layout.revoke(id))) disk.unlink(layout.revoke(id))
  },
})

export interface Keys {
  /** Binds a key to an id for the first caller; answers the id that it is bound to. @throws IDEMPOTENCY_MISMATCH */
  bind(key: string, id: SafeId, fingerprint: string): SafeId
  /** Only when it is bound to this id. */
  release(key: string, id: SafeId): void
}

/** A key is a symbolic link whose target is `<id>.<fingerprint>`: made by one, read at one stroke. */
export const createKeys = (layout: Layout, disk: Disk): Keys => {
  const read = (key: string): { id: SafeId; fingerprint: string } | null => {
    try {
      const [id = '', fingerprint = ''] = readlinkSync(layout.key(key)).split('.')
      return { id: parseId(id), fingerprint }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  }
  return {
    bind(key, id, fingerprint) {
      for (;;) {
        if (disk.symlink(`${id}.${fingerprint}`, layout.key(key))) return id
        const bound = read(key)
        if (!bound) continue
        // a key that was made anew from its record has none: then the key alone decides
        if (bound.fingerprint !== '' && bound.fingerprint !== fingerprint)
          throw new MadhavaError('IDEMPOTENCY_MISMATCH')
        return bound.id
      }
    },
    release(key, id) {
      if (read(key)?.id === id) disk.unlink(layout.key(key))
    },
  }
}
