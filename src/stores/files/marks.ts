// Small facts beside the records: the wish to cancel a task that is held, and the idempotency keys.

import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { MadhavaError } from '../../core/errors.ts'
import type { Staged } from './committer.ts'
import type { Disk } from './disk.ts'
import { isErrno } from './errno.ts'
import { type Layout, parseId, type SafeId } from './layout.ts'

export interface Revokes {
  /** When the cancel was asked, or null. */
  read(id: SafeId): string | null
  /** The first wish stays. */
  write(id: SafeId, at: string): Staged<void>
  remove(id: SafeId): void
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export const createRevokes = (layout: Layout, disk: Disk): Revokes => ({
  read(id) {
    const file = layout.revoke(id)
    // asked at every move and nearly never there: an error for each would be dear
    if (!existsSync(file)) return null
    try {
      const at = readFileSync(file, 'utf8').trim()
      // a power cut can leave one empty that nobody was told of; recovery replaces it where somebody was
      return TIME.test(at) ? at : null
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  },
  write(id, at) {
    const aside = path.join(layout.revokes, `.${id}.${randomBytes(6).toString('hex')}.tmp`)
    const discard = () => disk.unlink(aside)
    disk.write(aside, `${at}\n`)
    return {
      show() {
        disk.link(aside, layout.revoke(id))
        discard()
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
