// Idempotency keys: symbolic links `keys/<hash>` to `<id>.<fingerprint>`, so that one process makes each, and a reader
// has it whole.
import { readlinkSync } from 'node:fs'
import { MadhavaError } from '../../../core/errors.ts'
import { idempotencyScope, type TaskRecord } from '../../../core/task.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'

export interface Keys {
  /** Binds a key to an id for the first caller; answers the id that it is bound to. @throws IDEMPOTENCY_MISMATCH */
  bind(key: string, id: SafeId, fingerprint: string): SafeId
  /** Only when it is bound to this id. */
  release(key: string, id: SafeId): void
}

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
        // a key that was repaired from its record has none; then the key alone decides
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

/** What an idempotency key points to, `<id>.<fingerprint>`; null when there is none, or something that is no key. */
export const readKeyLink = (file: string): { id: SafeId; fingerprint: string } | null => {
  try {
    const [id = '', ...rest] = readlinkSync(file).split('.')
    return { id: parseId(id), fingerprint: rest.join('.') }
  } catch {
    return null
  }
}

/** The path of a task's key, or null when it has none. */
export const keyFileOf = (layout: Layout, task: TaskRecord): string | null => {
  const scope = idempotencyScope(task)
  return scope === null ? null : layout.key(scope)
}

export const ownsKey = (layout: Layout, task: TaskRecord, link: string): boolean =>
  keyFileOf(layout, task) === link
