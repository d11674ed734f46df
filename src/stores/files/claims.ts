// Claims as symbolic links `claims/<id>.<number>` that name their owner: made by exactly one process, and in
// nobody's way when that process is dead. It knows nothing of records.
import { lstatSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { isErrno } from './errno.ts'
import type { Layout, SafeId } from './layout.ts'
import { parseId } from './layout.ts'

export interface Claims {
  /** True for exactly one process per number. */
  take(id: SafeId, number: number): boolean
  /** The instance that made this claim, or null when there is none. */
  owner(id: SafeId, number: number): string | null
  drop(id: SafeId, number: number): void
  /** As `drop`, of one that is there for sure. */
  release(id: SafeId, number: number): void
  list(): { id: SafeId; number: number }[]
}

const unlink = (file: string): void => {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

export const createClaims = (layout: Layout, instance: string): Claims => ({
  take(id, number) {
    try {
      symlinkSync(instance, layout.claim(id, number))
      return true
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false
      throw error
    }
  },
  owner(id, number) {
    try {
      return readlinkSync(layout.claim(id, number))
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  },
  drop(id, number) {
    const file = layout.claim(id, number)
    // most often there is none: an error for each would be dear
    if (!lstatSync(file, { throwIfNoEntry: false })) return
    unlink(file)
  },
  release: (id, number) => unlink(layout.claim(id, number)),
  list: () =>
    readdirSync(layout.claims).flatMap(name => {
      const parts = /^(.{36})\.(\d+)$/.exec(name)
      return parts?.[1] ? [{ id: parseId(parts[1]), number: Number(parts[2]) }] : []
    }),
})
