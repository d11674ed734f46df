// Whether one more task of a kind may begin, over all processes. There is no common counter: a taker first makes its
// own claim visible and then counts all claims, so of several takers at once at least the last sees all the others.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { isDue } from '../../../core/due.ts'
import { permitsAt, type Rate } from '../../../core/kind-limits.ts'
import { isRunning } from '../../../core/task.ts'
import type { Disk } from '../disk.ts'
import type { Layout, SafeId } from '../layout.ts'
import type { Records } from '../records/records.ts'
import type { ClaimFiles } from './claim-files.ts'
import type { Instances } from './instances.ts'

export interface KindLimiter {
  /**
   * To be called with a claim on the task, before its record is written. `full`: as many run as may. `contested`: there
   * may be room, but others are taking tasks too; try again after a moment.
   */
  mayBegin(id: SafeId, kind: string, maxConcurrency: number): Promise<'free' | 'full' | 'contested'>
  /** Whether a task waits, is due, and no live process is taking it. */
  isFree(id: SafeId, now: string): Promise<boolean>
  /** One permit of the rate, or when there will be one. */
  permit(kind: string, rate: Rate, nowMs: number): Permit | { nextAtMs: number }
}

export interface Permit {
  /** It was not used. */
  giveBack(): void
}

/** After so many requests for permits of a kind, this process removes expired ones. */
const TIDY_EVERY = 100
const BACK_MS = 1_000

export const createKindLimiter = (deps: {
  layout: Layout
  disk: Disk
  claimFiles: ClaimFiles
  records: Records
  instances: Instances
}): KindLimiter => {
  const { layout, disk, claimFiles, records, instances } = deps
  /** By kind: one counter for all could reach its limit at the same kind each time. */
  const asked = new Map<string, { times: number; atMs: number }>()

  /** Removes expired permits, and those of later times: they were taken before the clock went back. */
  const tidy = (kind: string, oldest: number, newest: number): void => {
    for (const name of readdirSync(layout.permits)) {
      const [, of, number] = /^([^.]+)\.(\d+)$/.exec(name) ?? []
      if (of === kind && (Number(number) < oldest || Number(number) > newest + 1))
        disk.unlink(path.join(layout.permits, name))
    }
  }

  return {
    async mayBegin(id, kind, maxConcurrency) {
      let running = 0
      let inFlight = 0
      for (const other of claimFiles.list()) {
        if (other.id === id) continue
        const owner = claimFiles.owner(other.id, other.number)
        if (owner === null || !(await instances.isAlive(owner))) continue
        const task = records.read(other.id)
        if (task?.kind !== kind || other.number < task.claim) continue
        if (other.number > task.claim) inFlight += 1
        else if (isRunning(task.status)) running += 1
      }
      if (running >= maxConcurrency) return 'full'
      return running + inFlight >= maxConcurrency ? 'contested' : 'free'
    },

    async isFree(id, now) {
      const task = records.read(id)
      if (task === null || !isDue(task, now)) return false
      const owner = claimFiles.owner(id, task.claim + 1)
      return owner === null || !(await instances.isAlive(owner))
    },

    permit(kind, rate, nowMs) {
      const { oldest, newest, nextAtMs } = permitsAt(rate, nowMs)
      const { times, atMs } = asked.get(kind) ?? { times: 0, atMs: nowMs }
      asked.set(kind, { times: times + 1, atMs: nowMs })
      // permits taken before the clock went back would otherwise block tasks until that time comes again
      if (times % TIDY_EVERY === 0 || nowMs < atMs - BACK_MS) tidy(kind, oldest, newest)
      // the oldest first: a newer one is good for longer
      for (let number = oldest; number <= newest; number += 1) {
        const file = layout.permit(kind, number)
        if (disk.symlink(String(process.pid), file)) return { giveBack: () => disk.unlink(file) }
      }
      return { nextAtMs }
    },
  }
}
