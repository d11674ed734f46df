// Which task a free slot gets. Redis names the best one that is due and that no other worker is taking; who gets its
// claim is decided when the record is written.
import { setTimeout as wait } from 'node:timers/promises'
import type { Move } from '../../core/moves.ts'
import type { ClaimOptions } from '../../core/store.ts'
import { isRunning, isWaiting, type TaskRecord } from '../../core/task.ts'
import type { HeldClaims } from './held-claims.ts'
import type { Leases } from './leases.ts'
import { decodeIfSound, type LimitPlan, limitPlanOf, moved } from './records.ts'
import type { Scripts } from './scripts.ts'
import type { TaskMover } from './task-mover.ts'

export interface Picker {
  claimNext(wanted: ClaimOptions, move: Move): Promise<TaskRecord | null>
}

interface PickerDeps {
  scripts: Scripts
  heldClaims: HeldClaims
  mover: TaskMover
  leases: Leases
  instance: string
  /** Lets others have a task that was picked here. */
  release: (id: string) => Promise<unknown>
  /** Takes a record that is no longer JSON out of the sets of tasks to take. */
  passOver: (json: string, kinds: Iterable<string>) => Promise<unknown>
}

type Picked = [json: string | null, full: string[], spent: string[], begun: 0 | 1 | 2, contested: string[]]

/**
 * When other takers hold the last free places of a kind, they may still release them. The kind is tried again after
 * these pauses, with jitter, and then left for a while.
 */
const CONTESTS = 12
const CONTEST_MS = 4
const CONTEST_AGAIN_MS = 50

export const createPicker = ({
  scripts,
  heldClaims,
  mover,
  leases,
  instance,
  release,
  passOver,
}: PickerDeps): Picker => ({
  async claimNext({ kinds, now, limits = {}, allowSuspect = false, ...told }, move) {
    const { onSuspect, onRateLimited, onKindFull } = told
    const nowMs = Date.parse(now)
    const wanted = new Set(kinds)
    const plans: Record<string, LimitPlan> = Object.create(null)
    const nextAt = new Map<string, number | null>()
    for (const kind of wanted) {
      if (!Object.hasOwn(limits, kind) || !limits[kind]) continue
      const { plan, nextAtMs } = limitPlanOf(kind, limits[kind], nowMs)
      plans[kind] = plan
      nextAt.set(kind, nextAtMs)
    }
    const spent = (kind: string): void => {
      if (!wanted.delete(kind)) return
      const at = nextAt.get(kind)
      if (at !== null && at !== undefined) onRateLimited?.(kind, at)
    }
    const full = (kind: string): void => {
      if (wanted.delete(kind)) onKindFull?.(kind)
    }
    let looked = false
    let contests = 0

    while (wanted.size > 0) {
      const picked = await scripts.run<Picked>(
        'pick',
        nowMs,
        JSON.stringify([...wanted]),
        JSON.stringify(plans),
        instance,
        allowSuspect ? 1 : 0,
      )
      const [json, crowded, waiting, begun, contested] = picked
      // what a dead process ran may end here
      if (json === null && crowded.length > 0 && !looked) {
        looked = true
        if ((await leases.buryTheDead()) > 0) continue
      }
      for (const kind of crowded) full(kind)
      for (const kind of waiting) spent(kind)
      if (json === null) {
        if (contested.length === 0) return null
        contests += 1
        if (contests === CONTESTS) {
          for (const kind of contested) onRateLimited?.(kind, nowMs + CONTEST_AGAIN_MS)
          return null
        }
        await wait(Math.random() * CONTEST_MS * contests)
        continue
      }
      for (const kind of contested) onKindFull?.(kind)
      if (begun === 2) {
        onSuspect?.(json)
        return null
      }
      const before = decodeIfSound(json)
      if (!before) {
        await passOver(json, wanted)
        continue
      }
      if (begun === 1) {
        const task = await heldClaims.begin(before, move)
        if (isRunning(task.status)) return task
        if (isWaiting(task.status)) return null
        continue
      }
      let after: TaskRecord
      try {
        after = moved(json, move)
      } catch (error) {
        await release(before.id)
        throw error
      }
      const limit = plans[before.kind]
      const { written, task } = await mover.acquire(before, after, limit)
      if (written[0] === 'done' && isRunning(task.status)) return task
      // if the move leaves the task waiting, it would be picked again and again
      if (written[0] === 'done' && isWaiting(task.status)) return null
      if (written[0] === 'full') full(before.kind)
      if (written[0] === 'spent') spent(before.kind)
    }
    return null
  },
})
