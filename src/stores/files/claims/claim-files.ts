// Claims as symbolic links `claims/<id>.<number>` that name their owner: exactly one process makes each, and the
// claim of a dead process stops nobody. It knows nothing of records. A claim that begins an attempt says so,
// `<instance>.run`: should the process die before it has written the record, the attempt is known all the same.
// Earlier versions also wrote `<instance>.ahead`, which is read as `.run`.
import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { linkTarget } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { Layout, SafeId } from '../layout.ts'
import { parseId } from '../layout.ts'
import { makeSymlink, type Take } from '../log/writer.ts'

/** Why a claim is taken: to begin an attempt, or only to write. */
export type Purpose = 'run' | 'write'

export interface ClaimFiles {
  /** True for exactly one process per number. */
  take(id: SafeId, number: number, purpose: Purpose): boolean
  /** The same claim, to be taken by a writer. */
  order(id: SafeId, number: number, purpose: Purpose): Take
  /** The instance that made this claim, or null when there is none. */
  owner(id: SafeId, number: number): string | null
  /** When an attempt began under this claim; null where none did. */
  begunAt(id: SafeId, number: number): Date | null
  drop(id: SafeId, number: number): void
  /** Its path. */
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

const ENDING: Record<Purpose, string> = { run: '.run', write: '' }
const ENDINGS = /\.(?:run|ahead)$/

export const createClaimFiles = (layout: Layout, instance: string): ClaimFiles => ({
  order: (id, number, purpose) => ({
    claim: layout.claim(id, number),
    target: instance + ENDING[purpose],
    file: layout.task(id),
    cancelRequest: layout.revoke(id),
  }),
  take: (id, number, purpose) => makeSymlink(instance + ENDING[purpose], layout.claim(id, number)),
  owner: (id, number) => linkTarget(layout.claim(id, number))?.replace(ENDINGS, '') ?? null,
  begunAt(id, number) {
    const file = layout.claim(id, number)
    if (!ENDINGS.test(linkTarget(file) ?? '')) return null
    return lstatSync(file, { throwIfNoEntry: false })?.mtime ?? null
  },
  drop(id, number) {
    const file = layout.claim(id, number)
    // most often there is none, so an error each time would be expensive
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
