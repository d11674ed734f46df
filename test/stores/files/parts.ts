// The parts of the files store that decide who may write a record, put together as the store does it on a folder of the
// test's own; any of them can be replaced. Other processes are names: the test says which of them live.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { fail, start } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { type ClaimAcquirer, createClaimAcquirer } from '../../../src/stores/files/claims/acquire.ts'
import {
  type CancelRequests,
  createCancelRequests,
} from '../../../src/stores/files/claims/cancel-requests.ts'
import {
  type ClaimFiles,
  createClaimFiles,
  type Purpose,
} from '../../../src/stores/files/claims/claim-files.ts'
import type { Instances } from '../../../src/stores/files/claims/instances.ts'
import { createTaskMover, type TaskMover } from '../../../src/stores/files/claims/task-mover.ts'
import { createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { createLayout, type Layout, type SafeId } from '../../../src/stores/files/layout.ts'
import { type Committer, createCommitter } from '../../../src/stores/files/log/committer.ts'
import { createWal } from '../../../src/stores/files/log/wal.ts'
import { createWriter } from '../../../src/stores/files/log/writer.ts'
import { createRecords, type Records } from '../../../src/stores/files/records/records.ts'
import { at, newTask } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

export const ME = 'aaaaaaaaaaaa'
export const OTHER = 'bbbbbbbbbbbb'
export const DEAD = 'dddddddddddd'

const error = { code: 'KIND_FAILED', message: 'no', detail: null }
/** The move of an attempt that failed and is tried again at `when`. */
export const retryAt = (when: string) => fail(error, when, at(2))
export const run = start('w', at(1))

interface Replacing {
  disk?: (disk: Disk) => Partial<Disk>
  records?: (records: Records) => Partial<Records>
  claimFiles?: (claimFiles: ClaimFiles) => Partial<ClaimFiles>
  cancelRequests?: (cancelRequests: CancelRequests) => Partial<CancelRequests>
}

export interface Parts {
  layout: Layout
  disk: Disk
  records: Records
  claimFiles: ClaimFiles
  cancelRequests: CancelRequests
  committer: Committer
  acquirer: ClaimAcquirer
  mover: TaskMover
  /** What the index would believe; the state file says it where the test does not. */
  believed: Map<string, Pick<TaskRecord, 'claim' | 'status'> | null>
  published: TaskRecord[]
  /** A task that waits, or as `change` has it, in its state file. */
  put(change?: Partial<TaskRecord>): TaskRecord & { id: SafeId }
  /** Another process takes a claim. */
  takeFor(owner: string, id: SafeId, number: number, purpose?: Purpose): void
  /** A process that requested a cancel was killed before it could do more. */
  requestCancel(id: SafeId, claim: number): void
  /** Names in the folder of claims. */
  claims(): string[]
  requestFiles(): string[]
}

/** Everybody lives whose name is not DEAD. */
export const createInstances = (): Instances => ({
  instance: ME,
  isAlive: async id => id !== DEAD,
  announce: async () => {},
  presences: async () => [],
  known: () => [],
  forget() {},
  leave: async () => {},
})

export const createParts = async (test: TestContext, over: Replacing = {}): Promise<Parts> => {
  const layout = createLayout(mkdtempSync(path.join(os.tmpdir(), 'madhava-parts-')))
  for (const folder of layout.folders()) mkdirSync(folder)
  const plainDisk = createDisk()
  const disk = { ...plainDisk, ...over.disk?.(plainDisk) }
  const plainRecords = createRecords(layout, disk, () => {})
  const records = { ...plainRecords, ...over.records?.(plainRecords) }
  const plainClaims = createClaimFiles(layout, ME)
  const claimFiles = { ...plainClaims, ...over.claimFiles?.(plainClaims) }
  const plainRequests = createCancelRequests(layout, disk)
  const cancelRequests = { ...plainRequests, ...over.cancelRequests?.(plainRequests) }
  const writer = createWriter(disk)
  const wal = createWal(disk, layout.wal, ME)
  const committer = createCommitter({ wal, writer, onVisible() {}, onFailure() {} })
  const believed: Parts['believed'] = new Map()
  const acquirer = createClaimAcquirer({
    records,
    claimFiles,
    instances: createInstances(),
    writer,
    lookUp: id => (believed.has(id) ? (believed.get(id) ?? null) : plainRecords.read(id)),
  })
  const published: TaskRecord[] = []
  const mover = createTaskMover({
    records,
    committer,
    claimFiles,
    cancelRequests,
    acquirer,
    publish: task => published.push(task),
    note() {},
    log: silentLog(),
  })
  undo(test, async () => {
    await mover.leave()
    await committer.settled()
    wal.close()
    rmSync(layout.dir, { recursive: true, force: true })
  })
  return {
    layout,
    disk,
    records,
    claimFiles,
    cancelRequests,
    committer,
    acquirer,
    mover,
    believed,
    published,
    put(change = {}) {
      const task = { ...newTask(), ...change } as TaskRecord & { id: SafeId }
      mkdirSync(layout.taskFolder(task.id), { recursive: true })
      plainRecords.put(task)
      return task
    },
    takeFor: (owner, id, number, purpose = 'run') =>
      void createClaimFiles(layout, owner).take(id, number, purpose),
    requestCancel: (id, claim) => writeFileSync(layout.revoke(id), `${at(2)} ${claim}\n`),
    claims: () => readdirSync(layout.claims).sort(),
    requestFiles: () => readdirSync(layout.revokes),
  }
}
