// Claims and moves. A move is a function, so it is applied here to the record as read, and Redis writes the outcome
// only if that record is still there. Otherwise the move is applied to the new record.
import { MadhavaError } from '../../core/errors.ts'
import { giveBack, type Move, revoke, startLate } from '../../core/moves.ts'
import { isFinal, isRunning, isWaiting, type TaskRecord } from '../../core/task.ts'
import type { ClaimCheck, HeldClaims, Written } from './held-claims.ts'
import type { Leases } from './leases.ts'
import {
  decode,
  encode,
  type LimitPlan,
  moved,
  planFromBegun,
  planOf,
  version,
  type WritePlan,
} from './records.ts'
import type { Scripts } from './scripts.ts'

export interface TaskMover {
  claim(id: string, move: Move): Promise<TaskRecord | null>
  /** Acquires the claim on a record as read, with a move that was applied to it. */
  acquire(
    before: TaskRecord,
    after: TaskRecord,
    limit?: LimitPlan,
  ): Promise<{ written: Written; task: TaskRecord }>
  revoke(id: string, at: string): Promise<{ outcome: 'revoked' | 'requested' | 'ended'; task: TaskRecord }>
  /** Gives back tasks that Redis lists as held by this process, and that this process does not know. */
  reconcile(heldInRedis: number): Promise<void>
}

interface TaskMoverDeps {
  scripts: Scripts
  heldClaims: HeldClaims
  leases: Leases
  instance: string
  clock: () => Date
  /** Ids in `held:<instance>`. */
  heldIds: () => Promise<string[]>
}

type Acquire = (
  before: TaskRecord,
  after: TaskRecord,
  limit?: LimitPlan,
  /** Attempts that were begun since the record was written: their claim numbers are used up. */
  lost?: number,
) => ReturnType<TaskMover['acquire']>

export const createTaskMover = (deps: TaskMoverDeps): TaskMover => {
  const { scripts, heldClaims, leases, instance, clock, heldIds } = deps
  const { write, unbegin } = heldClaims
  /** Ids whose acquisition is under way. */
  const acquiring = new Set<string>()
  /** Ids that were unknown at the last comparison. */
  let strange = new Set<string>()

  /** How records name the worker of a process that is gone. */
  const nameOf = async (who: string): Promise<string> => {
    const gone = (await leases.presences()).find(({ instance: each }) => each === who)
    return gone ? `${gone.host}:${gone.pid}` : who
  }

  const look = async (id: string): Promise<Exclude<ClaimCheck, ['gone']>> => {
    for (let tries = 0; ; tries += 1) {
      const found = await scripts.run<ClaimCheck>('look', id)
      if (found[0] === 'gone') throw new MadhavaError('TASK_NOT_FOUND')
      if (found[0] === 'held' && tries < 3 && (await leases.buryIfGone(found[2], found[3]))) continue
      return found
    }
  }

  const acquire: Acquire = async (before, after, limit, lost = 0) => {
    const { id } = before
    const task = version(after, id, before.claim + 1 + lost, before.rev + 1 + lost)
    const json = encode(task)
    const runs = isRunning(task.status)
    const places = lost > 0 ? planFromBegun(before, task) : planOf(before, task)
    const plan: WritePlan = { ...places, as: 'taker', ...(limit && runs ? { limit } : {}) }
    acquiring.add(id)
    try {
      const written = await write(before, json, plan)
      if (written[0] === 'done' && runs) heldClaims.add(id, task.claim, json)
      return { written, task: decode(json) }
    } finally {
      acquiring.delete(id)
    }
  }

  /** Takes a task that no live process holds; the move is applied to its latest state. */
  const take = async (found: Exclude<ClaimCheck, ['gone']>, move: Move) => {
    const before = decode(found[1])
    if (found[0] !== 'begun') return acquire(before, moved(found[1], move))
    const started = startLate(await nameOf(found[2]), clock().toISOString())
    const after = moved(found[1], task => move(started(task)))
    return acquire(before, after, undefined, 1)
  }

  const claim: TaskMover['claim'] = async (id, move) => {
    for (;;) {
      const found = await look(id)
      if (found[0] === 'held') return null
      const { written, task } = await take(found, move)
      if (written[0] === 'done') return task
    }
  }

  const noteCancelRequest = async (json: string, at: string): Promise<TaskRecord | null> => {
    const before = decode(json)
    if (before.revokeRequestedAt !== null) return before
    const task = version({ ...before, revokeRequestedAt: at }, before.id, before.claim, before.rev + 1)
    const text = encode(task)
    const written = await write(before, text, { ...planOf(before, task), as: 'asker', cancelAt: at })
    return written[0] === 'done' ? decode(text) : null
  }

  return {
    claim,
    acquire,

    async revoke(id, at) {
      for (;;) {
        const found = await look(id)
        const before = decode(found[1])
        if (isFinal(before.status)) return { outcome: 'ended', task: before }
        if (found[0] === 'held') {
          const task = await noteCancelRequest(found[1], at)
          if (task) return { outcome: 'requested', task }
          continue
        }
        const { written, task } = await take(found, revoke(at))
        if (written[0] === 'done') return { outcome: 'revoked', task }
      }
    },

    async reconcile(heldInRedis) {
      if (heldInRedis <= heldClaims.size() && strange.size === 0) return
      const unknown = (await heldIds()).filter(id => !heldClaims.has(id) && !acquiring.has(id))
      // a reply may be on its way, so only what is unknown twice is given back
      const twice = unknown.filter(id => strange.has(id))
      strange = new Set(unknown)
      for (const id of twice) {
        const found = await scripts.run<ClaimCheck>('look', id)
        if (found[0] !== 'held' || found[2] !== instance || heldClaims.has(id)) continue
        const before = decode(found[1])
        if (isWaiting(before.status)) {
          await unbegin(before)
          continue
        }
        const task = version(
          giveBack(clock().toISOString())(decode(found[1])),
          id,
          before.claim,
          before.rev + 1,
        )
        await write(before, encode(task), { ...planOf(before, task), as: 'holder' })
      }
    },
  }
}
