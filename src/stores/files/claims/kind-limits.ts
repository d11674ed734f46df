// Whether one more task of a kind may begin, over all processes. There is no common counter: a taker first makes its
// own claim visible and then counts all claims, so of several takers at once at least the last sees all the others.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { isDue } from '../../../core/due.ts'
import { type KindLimits, permitsAt, type Rate } from '../../../core/kind-limits.ts'
import { type KindRoom, PERMITS_MAX } from '../../../core/line.ts'
import { isRunning, type TaskRecord } from '../../../core/task.ts'
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
  /** What the limits leave, by kind. Nothing is taken. */
  rooms(limits: ReadonlyMap<string, KindLimits>, nowMs: number): Promise<Map<string, KindRoom>>
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

  /** Each present claim of a living process, but for those on one task; `number` may be ahead of the record. */
  const eachClaim = async (
    visit: (task: TaskRecord, number: number) => void,
    but: SafeId | null,
  ): Promise<void> => {
    for (const { id, number } of claimFiles.list()) {
      if (id === but) continue
      const owner = claimFiles.owner(id, number)
      if (owner === null || !(await instances.isAlive(owner))) continue
      const task = records.read(id)
      if (task && number >= task.claim) visit(task, number)
    }
  }

  /** Numbers of the permits that are taken, by kind. */
  const takenPermits = (): Map<string, Set<number>> => {
    const taken = new Map<string, Set<number>>()
    for (const name of readdirSync(layout.permits)) {
      const [, kind = '', number = ''] = /^([^.]+)\.(\d+)$/.exec(name) ?? []
      const numbers = taken.get(kind) ?? new Set()
      taken.set(kind, numbers.add(Number(number)))
    }
    return taken
  }

  return {
    async mayBegin(id, kind, maxConcurrency) {
      let running = 0
      let inFlight = 0
      await eachClaim((task, number) => {
        if (task.kind !== kind) return
        if (number > task.claim) inFlight += 1
        else if (isRunning(task.status)) running += 1
      }, id)
      if (running >= maxConcurrency) return 'full'
      return running + inFlight >= maxConcurrency ? 'contested' : 'free'
    },

    async isFree(id, now) {
      const task = records.read(id)
      if (task === null || !isDue(task, now)) return false
      const owner = claimFiles.owner(id, task.claim + 1)
      return owner === null || !(await instances.isAlive(owner))
    },

    async rooms(limits, nowMs) {
      const kinds = [...limits]
      const running = new Map<string, number>()
      if (kinds.some(([, { maxConcurrency }]) => maxConcurrency !== null))
        await eachClaim(({ kind, status, claim }, number) => {
          if (number === claim && isRunning(status)) running.set(kind, (running.get(kind) ?? 0) + 1)
        }, null)
      const taken = kinds.some(([, { rate }]) => rate !== null) ? takenPermits() : new Map()
      const permitsOf = (kind: string, rate: Rate): number => {
        const { oldest, newest } = permitsAt(rate, nowMs)
        let free = 0
        for (let number = oldest; number <= newest && free < PERMITS_MAX; number += 1)
          if (!taken.get(kind)?.has(number)) free += 1
        return free
      }
      return new Map(
        kinds.map(([kind, { maxConcurrency, rate }]) => [
          kind,
          {
            running: maxConcurrency === null ? null : (running.get(kind) ?? 0),
            permits: rate && permitsOf(kind, rate),
          },
        ]),
      )
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
