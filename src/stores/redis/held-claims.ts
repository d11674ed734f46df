// What this process holds: each task's record is remembered, so that a move of it costs one call. An attempt that has
// just begun stands in Redis as held, and its record is written a moment later or with its end.
import { MadhavaError } from '../../core/errors.ts'
import type { Move } from '../../core/moves.ts'
import { isRunning, type TaskRecord } from '../../core/task.ts'
import { refuseInvalidRecord } from '../../core/task-check.ts'
import type { Log } from '../../platform/log.ts'
import { createLateStarts } from '../shared/late-starts.ts'
import { isInDoubt } from './errors.ts'
import { decode, encode, planFromBegun, planOf, version, type WritePlan } from './records.ts'
import type { Scripts } from './scripts.ts'

export type ClaimCheck =
  | ['gone']
  | ['free', string]
  | ['begun', string, string]
  | ['held', string, string, string]
export type Written = ['done'] | ['gone'] | ['lost'] | ['stale', string] | ['full'] | ['spent']

interface HeldClaim {
  claim: number
  json: string
  /** What stands in Redis where that is not `json` yet: the record from before the attempt began. */
  stored: string | null
  /** What may have been written: the answer was lost. */
  doubt: string | null
  /** The last move of this task, settled or not. */
  last: Promise<unknown>
}

export interface HeldClaims {
  /** How many tasks are held. */
  size(): number
  has(id: string): boolean
  /** The task was acquired with this record, which is written. */
  add(id: string, claim: number, json: string): void
  /**
   * Goes on with a task that was picked and is held from then on: applies the move, and writes at once where it leads
   * to a status that does not run. A move that throws lets go.
   */
  begin(before: TaskRecord, move: Move): Promise<TaskRecord>
  /** Makes a task wait again that Redis lists as begun here and that this process does not know. */
  unbegin(before: TaskRecord): Promise<void>
  /** @throws CLAIM_LOST, what the move throws */
  move(id: string, claim: number, move: Move): Promise<TaskRecord>
  /** Writes that a task runs here, where that is not written yet. */
  show(id: string): Promise<void>
  /** The record as read; or, if it runs here and that is not written yet, as it is here. */
  asSeenHere(task: TaskRecord): TaskRecord
  /** The claim number under which this process holds, or held, the task; null when it never did. */
  claimOf(id: string): number | null
  /** Writes a record over the one that was read, if that still stands. */
  write(before: TaskRecord, json: string, plan: WritePlan): Promise<Written>
  /** Writes what runs, as far as Redis takes it, and forgets all: from now on others may take over. */
  leave(): Promise<void>
}

/** Claims that were lost, remembered so that what their attempts still write is refused. */
const LOST_KEPT = 10_000

export const createHeldClaims = (deps: { scripts: Scripts; instance: string; log: Log }): HeldClaims => {
  const { scripts, instance, log } = deps
  const held = new Map<string, HeldClaim>()
  const lostClaims = new Map<string, number>()

  const drop = (id: string): void => {
    lateStarts.delete(id)
    held.delete(id)
  }
  const letGo = (id: string, claim: number): void => {
    drop(id)
    lostClaims.set(id, claim)
    if (lostClaims.size > LOST_KEPT) lostClaims.delete(lostClaims.keys().next().value ?? '')
  }

  /** Does nothing for a task that this process has taken again meanwhile. */
  const letGoOf = (id: string, mine: HeldClaim): void => {
    if (held.get(id) === mine) letGo(id, mine.claim)
  }

  const write: HeldClaims['write'] = (before, json, plan) =>
    scripts.run('write', before.id, before.claim, before.rev, instance, json, JSON.stringify(plan))

  const planFrom = (mine: HeldClaim, before: TaskRecord, after: TaskRecord): WritePlan => ({
    ...(mine.stored === null ? planOf(before, after) : planFromBegun(before, after)),
    as: 'holder',
  })

  /** The record in Redis has changed: a cancel was requested meanwhile. */
  const takeIn = (mine: HeldClaim, json: string): void => {
    if (mine.stored === null) {
      mine.json = json
      return
    }
    const [now, task] = [decode(json), decode(mine.json)]
    mine.stored = json
    mine.json = encode({ ...task, rev: now.rev + 1, revokeRequestedAt: now.revokeRequestedAt })
  }

  const written = (id: string, mine: HeldClaim, json: string): void => {
    if (held.get(id) === mine) lateStarts.delete(id)
    mine.stored = null
    mine.json = json
    if (!isRunning(decode(json).status)) drop(id)
  }

  /** After a reply was lost: whether the last write took effect. @throws CLAIM_LOST */
  const clearDoubt = async (id: string, mine: HeldClaim): Promise<boolean> => {
    const doubt = mine.doubt
    const found = await scripts.run<ClaimCheck>('look', id)
    const json = found[0] === 'gone' ? null : found[1]
    mine.doubt = null
    if (json !== null && json === doubt) {
      written(id, mine, json)
      return true
    }
    const claimNow = json === null ? null : decode(json).claim
    const mineStill =
      mine.stored === null ? claimNow === mine.claim : found[0] === 'held' && found[2] === instance
    if (json === null || !mineStill) {
      letGoOf(id, mine)
      throw new MadhavaError('CLAIM_LOST')
    }
    takeIn(mine, json)
    return false
  }

  /** Writes what `change` makes of the record that is held here. */
  const writeHeld = async (
    id: string,
    mine: HeldClaim,
    change: (task: TaskRecord) => TaskRecord,
  ): Promise<TaskRecord> => {
    for (;;) {
      if (held.get(id) !== mine) throw new MadhavaError('CLAIM_LOST')
      if (mine.doubt !== null && (await clearDoubt(id, mine))) {
        const now = decode(mine.json)
        // the last move was written, and this is its retry
        if (!isRunning(now.status)) return now
      }
      const before = decode(mine.stored ?? mine.json)
      const current = decode(mine.json)
      const task = change(current)
      refuseInvalidRecord(current, task)
      const json = encode(task)
      const answer = await write(before, json, planFrom(mine, before, task)).catch((error: unknown) => {
        if (isInDoubt(error)) mine.doubt = json
        throw error
      })
      if (answer[0] === 'done') {
        written(id, mine, json)
        return decode(json)
      }
      if (answer[0] === 'stale') {
        takeIn(mine, answer[1])
        continue
      }
      letGoOf(id, mine)
      throw new MadhavaError('CLAIM_LOST')
    }
  }

  /** One after another, in the order of the calls. */
  const inTurn = <T>(mine: HeldClaim, work: () => Promise<T>): Promise<T> => {
    const next = mine.last.then(work)
    mine.last = next.catch(() => {})
    return next
  }

  const show: HeldClaims['show'] = async id => {
    const mine = held.get(id)
    if (!mine?.stored) return
    await inTurn(mine, async () => {
      if (mine.stored !== null && held.get(id) === mine) await writeHeld(id, mine, task => task)
    })
  }
  const lateStarts = createLateStarts({
    write: show,
    onFailed: (id, error) => log.debug({ error, id }, 'that a task runs could not be written; trying again'),
  })

  const unbegin: HeldClaims['unbegin'] = async before => {
    await write(before, encode(before), { ...planFromBegun(before, before), as: 'holder', quiet: true })
  }

  const begin: HeldClaims['begin'] = async (before, move) => {
    const { id } = before
    let task: TaskRecord
    try {
      const after = move(before)
      refuseInvalidRecord(before, after)
      task = version(after, id, before.claim + 1, before.rev + 1)
    } catch (error) {
      await unbegin(before)
      throw error
    }
    const mine: HeldClaim = {
      claim: task.claim,
      json: encode(task),
      stored: encode(before),
      doubt: null,
      last: Promise.resolve(),
    }
    held.set(id, mine)
    lostClaims.delete(id)
    if (!isRunning(task.status)) return inTurn(mine, () => writeHeld(id, mine, ended => ended))
    lateStarts.add(id)
    return decode(mine.json)
  }

  return {
    size: () => held.size,
    has: id => held.has(id),
    add(id, claim, json) {
      lostClaims.delete(id)
      held.set(id, { claim, json, stored: null, doubt: null, last: Promise.resolve() })
    },
    begin,
    unbegin,
    async move(id, number, move) {
      const mine = held.get(id)
      if (mine?.claim !== number) throw new MadhavaError('CLAIM_LOST')
      return inTurn(mine, () =>
        writeHeld(id, mine, task => version(move(task), id, mine.claim, task.rev + 1)),
      )
    },
    show,
    asSeenHere(task) {
      const mine = held.get(task.id)
      if (!mine?.stored || task.claim >= mine.claim) return task
      const { revokeRequestedAt } = task
      return { ...decode(mine.json), rev: task.rev + 1, revokeRequestedAt }
    },
    claimOf: id => held.get(id)?.claim ?? lostClaims.get(id) ?? null,
    write,
    async leave() {
      // the next taker knows in any case that it ran
      await lateStarts.flush()
      for (const [id, { claim }] of [...held]) letGo(id, claim)
    },
  }
}
