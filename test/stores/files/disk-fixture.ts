// A files store on a disk that is to fail, and what must be true of its folder afterwards.
import assert from 'node:assert/strict'
import { isMadhavaError } from '../../../src/core/errors.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import type { Disk } from '../../../src/stores/files/disk.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { checkFolder } from '../../../src/stores/files/tools/fsck.ts'
import { at } from '../../suites/store/world.ts'

export const NOW = at(9)
export const open = (
  dir: string,
  more: { disk?: Disk; onFailure?: (error: unknown) => void } = {},
): Promise<TaskStore> =>
  openFilesStore({ dir, clock: () => new Date(NOW), log: silentLog(), truncateEveryMs: 200, ...more })

export const codeOf = async (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: unknown) => (isMadhavaError(error) ? error.code : String(error)),
  )

/** Nothing is wrong in the folder, and every one of these is there in this status. */
export const isSound = async (
  dir: string,
  store: TaskStore,
  expected: Map<string, string>,
): Promise<void> => {
  for (const [id, status] of expected) assert.equal((await store.get(id))?.status, status)
  assert.equal((await store.counts()).total, expected.size)
  const findings: string[] = []
  await checkFolder({
    dir,
    clock: () => new Date(NOW),
    repair: false,
    settleMs: 300,
    onFinding: ({ code, place }) => findings.push(`${code} ${place}`),
  })
  assert.deepEqual(findings, [])
}
