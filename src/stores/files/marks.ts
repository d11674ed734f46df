// Small facts beside the records: the wish to cancel a task that is held, and the idempotency keys.
import { readFileSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import { MadhavaError } from '../../core/errors.ts'
import { createFile, syncFolder } from '../../platform/atomic-file.ts'
import { isErrno } from './errno.ts'
import { type Layout, parseId, type SafeId } from './layout.ts'

export interface Revokes {
  /** When the cancel was asked, or null. */
  read(id: SafeId): string | null
  /** Durable when it resolves; the first wish stays. */
  write(id: SafeId, at: string): Promise<void>
  remove(id: SafeId): void
}

export const createRevokes = (layout: Layout): Revokes => ({
  read(id) {
    try {
      return readFileSync(layout.revoke(id), 'utf8').trim()
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  },
  write: async (id, at) => {
    await createFile(layout.revoke(id), `${at}\n`)
  },
  remove: id => rmSync(layout.revoke(id), { force: true }),
})

export interface Keys {
  /** Binds a key to an id for the first caller; answers the id that it is bound to. @throws IDEMPOTENCY_MISMATCH */
  bind(key: string, id: SafeId, fingerprint: string): Promise<SafeId>
  /** Only when it is bound to this id. */
  release(key: string, id: SafeId): void
}

/** A key is a symbolic link whose target is `<id>.<fingerprint>`: made by one, read at one stroke. */
export const createKeys = (layout: Layout): Keys => {
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
    async bind(key, id, fingerprint) {
      for (;;) {
        try {
          symlinkSync(`${id}.${fingerprint}`, layout.key(key))
          await syncFolder(layout.keys)
          return id
        } catch (error) {
          if (!isErrno(error, 'EEXIST')) throw error
        }
        const bound = read(key)
        if (!bound) continue
        if (bound.fingerprint !== fingerprint) throw new MadhavaError('IDEMPOTENCY_MISMATCH')
        return bound.id
      }
    },
    release(key, id) {
      if (read(key)?.id === id) unlinkSync(layout.key(key))
    },
  }
}
