// Claims as symbolic links `claims/<id>.<number>` that name their owner: made by exactly one process, and in
// nobody's way when that process is dead. It knows nothing of records.
// One that is taken to run the task says so, `<instance>.run`: should the process die before it has written that, the
// attempt is known all the same. `<instance>.ahead`: the task may have waited for its turn until then.
import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import { parseId } from '../layout.ts'
import { makeSymlink, type Take } from '../log/writer.ts'
import { linkTarget } from '../small-file.ts'

/** Why a claim is taken: an attempt begins with it, or soon, or neither. */
export type Purpose = 'run' | 'ahead' | 'write'

export interface ClaimFiles {
  /** True for exactly one process per number. */
  take(id: SafeId, number: number, purpose: Purpose): boolean
  /** The same claim, to be taken by a writer. */
  order(id: SafeId, number: number, purpose: Purpose): Take
  /** The instance that made this claim, or null when there is none. */
  owner(id: SafeId, number: number): string | null
  /** Since when an attempt may run under this claim, as far as the claim says so; else null. */
  begun(id: SafeId, number: number): { at: Date; ahead: boolean } | null
  drop(id: SafeId, number: number): void
  /** Where it stands. */
  file(id: SafeId, number: number): string
  list(): { id: SafeId; number: number }[]
}

const unlink = (file: string): void => {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

const ENDING: Record<Purpose, string> = { run: '.run', ahead: '.ahead', write: '' }
const ENDINGS = /\.(?:run|ahead)$/

export const createClaimFiles = (layout: Layout, instance: string): ClaimFiles => ({
  order: (id, number, purpose) => ({
    claim: layout.claim(id, number),
    target: instance + ENDING[purpose],
    file: layout.task(id),
    wish: layout.revoke(id),
  }),
  take: (id, number, purpose) => makeSymlink(instance + ENDING[purpose], layout.claim(id, number)),
  owner: (id, number) => linkTarget(layout.claim(id, number))?.replace(ENDINGS, '') ?? null,
  begun(id, number) {
    const file = layout.claim(id, number)
    const target = linkTarget(file) ?? ''
    const at = ENDINGS.test(target) && lstatSync(file, { throwIfNoEntry: false })?.mtime
    return at ? { at, ahead: target.endsWith(ENDING.ahead) } : null
  },
  drop(id, number) {
    const file = layout.claim(id, number)
    // most often there is none: an error for each would be dear
    if (!lstatSync(file, { throwIfNoEntry: false })) return
    unlink(file)
  },
  file: (id, number) => layout.claim(id, number),
  list: () =>
    readdirSync(layout.claims).flatMap(name => {
      const parts = /^(.{36})\.(\d+)$/.exec(name)
      try {
        return parts?.[1] ? [{ id: parseId(parts[1]), number: Number(parts[2]) }] : []
      } catch {
        // not one of ours
        return []
      }
    }),
})
