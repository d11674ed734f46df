// Who may write a record: acquiring a claim, writing under it, letting go. The protocol of the adapter:
//   1. claim n = record.claim + 1; where that is taken by a dead process, the next number; by a live one: give up
//   2. with the claim, the record is read again: had its claim number changed meanwhile, start over
//   3. only the holder writes the record; the claim is let go after a record that is not running is visible
//   4. a claim above the record's number is never removed by others, so that no two takers hold two numbers
//   5. the record of an attempt that begins is written a moment later, or with its end (stores/shared/late-starts.ts):
//      until then the claim alone says so, and under the claim of a dead process the task is one that was running
// No live process is ever overruled, so that a check before a rename is enough.
import { isMadhavaError, MadhavaError } from '../../../core/errors.ts'
import { type Move, revoke } from '../../../core/moves.ts'
import { compareVersions, isFinal, isRunning, isWaiting, type TaskRecord } from '../../../core/task.ts'
import { refuseInvalidRecord } from '../../../core/task-check.ts'
import type { Log } from '../../../platform/log.ts'
import { createLateStarts } from '../../shared/late-starts.ts'
import type { SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'
import type { Records } from '../records/records.ts'
import { type Acquired, type ClaimAcquirer, notFound } from './acquire.ts'
import { type CancelRequests, cancelRequestedAt } from './cancel-requests.ts'
import type { ClaimFiles } from './claim-files.ts'
import { createTaskTurns } from './task-turns.ts'

export interface TaskMover {
  /** @throws TASK_NOT_FOUND, what the move throws. Null: a live process holds the task. */
  claim(id: SafeId, move: Move, check?: Check): Promise<TaskRecord | null>
  /**
   * As `claim`, for a move that begins an attempt: resolves when the claim is taken. That the task runs is seen by
   * this process at once, by others a moment later, or never where it ends before.
   */
  begin(id: SafeId, move: Move): Promise<TaskRecord | null>
  /** @throws CLAIM_LOST, what the move throws */
  move(id: SafeId, claim: number, move: Move): Promise<TaskRecord>
  /** Runs `work` with the claim on a task, writes nothing, lets go. Null: a live process holds it. */
  withClaim<T>(id: SafeId, work: (task: TaskRecord, claim: number) => Promise<T>): Promise<T | null>
  /** Whether this process is working on the task at the moment. */
  isBusy(id: SafeId): boolean
  /** Waits for calls in progress, shows what runs, then forgets every claim. This process writes nothing after that. */
  leave(): Promise<void>
  /** The record as readers see it: with the cancel request that its holder has not written yet. */
  read(id: SafeId): TaskRecord | null
  /** @throws TASK_NOT_FOUND */
  mustRead(id: SafeId): TaskRecord
  /**
   * The record, and the highest claim number that anybody has taken: above the record's while a taker writes.
   * @throws TASK_NOT_FOUND
   */
  highestClaim(id: SafeId): Pick<Acquired, 'task' | 'claim'>
}

/** Called with the task once the claim is taken and before anything is written. A throw releases the claim. */
export type Check = (task: TaskRecord) => Promise<void>

/** A record that this process holds. */
interface HeldRecord {
  task: TaskRecord
  /** The claim number that the state file shows: below the task's own until the record is written. */
  shownClaim: number
}

interface TaskMoverDeps {
  records: Records
  committer: Committer
  claimFiles: ClaimFiles
  cancelRequests: CancelRequests
  acquirer: Pick<ClaimAcquirer, 'acquire'>
  publish: (task: TaskRecord) => void
  /** Puts a record into this process's own index only. */
  note: (task: TaskRecord) => void
  log: Log
}

export const createTaskMover = (deps: TaskMoverDeps): TaskMover => {
  const { records, committer, claimFiles, cancelRequests, publish, note, log } = deps
  const { acquire } = deps.acquirer
  const turns = createTaskTurns()
  const inTurn = turns.take
  let left = false
  /** The records that this process holds: no other process writes them, so memory is as good as the file. */
  const held = new Map<string, HeldRecord>()

  const withCancelRequest = (
    task: TaskRecord,
    request = cancelRequests.read(task.id as SafeId),
  ): TaskRecord => {
    const revokeRequestedAt = task.revokeRequestedAt ?? cancelRequestedAt(task, request)
    return revokeRequestedAt === task.revokeRequestedAt ? task : { ...task, revokeRequestedAt }
  }

  const read: TaskMover['read'] = id => {
    // the request first: it is removed with the end, and the record from before the end would be seen without it
    const request = cancelRequests.read(id)
    const mine = held.get(id)
    const unshown = mine && lateStarts.has(id)
    let task = unshown ? mine.task : records.read(id)
    if (unshown && turns.isTaken(id)) {
      // the next record may be in place already, and others may have read it
      const shown = records.read(id)
      if (shown && compareVersions(shown, mine.task) > 0) task = shown
    }
    return task && withCancelRequest(task, request)
  }

  /** The record that a move led to. */
  const made = (before: TaskRecord, after: TaskRecord, claim: number): TaskRecord => {
    const next = { ...after, id: before.id, claim, rev: before.rev + 1 }
    // a move must not write what readers refuse; then nothing changes
    refuseInvalidRecord(before, next)
    return next
  }

  const letGo = (id: string): void => {
    lateStarts.delete(id)
    held.delete(id)
  }

  /** Makes a record durable and visible, and releases its claim when the task no longer runs. */
  const show = async (next: TaskRecord, shownClaim: number, hadRequest: boolean): Promise<void> => {
    const id = next.id as SafeId
    const { claim } = next
    const running = isRunning(next.status)
    // the request is removed before the claim: it comes from a time when the task was held
    const dropRequest = isFinal(next.status) && hadRequest
    const release = running || dropRequest ? null : claimFiles.file(id, claim)
    await committer.commitDraft(
      { type: 'task', task: next },
      () => ({ ...records.replace(next), release }),
      () => {
        publish(next)
        letGo(id)
        if (running) held.set(id, { task: next, shownClaim: claim })
      },
    )
    // claims begin at 1
    for (let older = Math.max(shownClaim, 1); older < claim; older += 1) claimFiles.drop(id, older)
    if (!dropRequest) return
    // whoever makes a request from now on finds that the task has ended, and removes it
    cancelRequests.remove(id)
    claimFiles.drop(id, claim)
  }

  /** Writes the next record under the claim. */
  const write = async (
    before: TaskRecord,
    after: TaskRecord,
    claim: number,
    shownClaim = before.claim,
  ): Promise<TaskRecord> => {
    const next = made(before, after, claim)
    await show(next, shownClaim, before.revokeRequestedAt !== null)
    return next
  }

  const lateStarts = createLateStarts({
    write: id =>
      inTurn(id, async () => {
        const mine = held.get(id)
        if (mine && lateStarts.has(id)) await show(mine.task, mine.shownClaim, false)
      }),
    onFailed: (id, error) => log.warn({ error, id }, 'that a task runs could not be written; trying again'),
  })

  /** Without this, a request that came while a task was released would wait until the task is due. */
  const honourCancelRequest = async (task: TaskRecord): Promise<void> => {
    if (!isWaiting(task.status)) return
    const at = cancelRequestedAt(task, cancelRequests.read(task.id as SafeId))
    if (at === null) return
    try {
      await claimNow(task.id as SafeId, revoke(at))
    } catch (error) {
      // the process that made the request checked again and was faster
      if (!isMadhavaError(error, 'ILLEGAL_MOVE') && !isMadhavaError(error, 'TASK_NOT_FOUND')) throw error
    }
  }

  /**
   * What was refused after a failed sync may be in the log under this number, so no other process may write under it.
   */
  const letClaim = (id: SafeId, claim: number): void => {
    if (!committer.isBroken()) claimFiles.drop(id, claim)
  }

  const claimNow = async (id: SafeId, move: Move, check?: Check): Promise<TaskRecord | null> => {
    refuseWhenLeft()
    if (held.has(id)) return null
    const got = await acquire(id)
    if (!got) return null
    try {
      // a request left over from before the end is of no use
      if (isFinal(got.task.status)) cancelRequests.remove(id)
      await check?.(got.task)
      const task = got.mayHaveRequest ? withCancelRequest(got.task) : got.task
      return await write(task, move(task), got.claim)
    } catch (error) {
      if (!held.has(id)) letClaim(id, got.claim)
      throw error
    }
  }

  const beginNow = async (id: SafeId, move: Move): Promise<TaskRecord | null> => {
    refuseWhenLeft()
    if (held.has(id)) return null
    const got = await acquire(id, 'run')
    if (!got) return null
    try {
      const task = got.mayHaveRequest ? withCancelRequest(got.task) : got.task
      const after = move(task)
      if (!isRunning(after.status)) return await write(task, after, got.claim)
      const next = made(task, after, got.claim)
      held.set(id, { task: next, shownClaim: task.claim })
      lateStarts.add(id)
      note(next)
      return next
    } catch (error) {
      letClaim(id, got.claim)
      throw error
    }
  }

  /** The others see this process as dead, and could take over at once whatever it claims. */
  const refuseWhenLeft = (): void => {
    if (left) throw new MadhavaError('STORE_UNAVAILABLE', 'This process has left the store')
  }

  const mustRead: TaskMover['mustRead'] = id => {
    const task = read(id)
    if (!task) throw notFound(id)
    return task
  }

  return {
    isBusy: id => turns.isTaken(id),
    async leave() {
      left = true
      // the next taker knows in any case that it ran
      await lateStarts.flush()
      await turns.all()
      for (const id of [...held.keys()]) letGo(id)
    },
    read,
    mustRead,
    claim: (id, move, check) =>
      inTurn(id, async () => {
        const next = await claimNow(id, move, check)
        if (next) await honourCancelRequest(next)
        return next
      }),
    begin: (id, move) => inTurn(id, () => beginNow(id, move)),
    highestClaim(id) {
      for (;;) {
        const task = mustRead(id)
        let claim = task.claim
        while (claimFiles.owner(id, claim + 1) !== null) claim += 1
        // a taker that has written its record and released its claim meanwhile has left no claim to see
        if (mustRead(id).claim === task.claim) return { task, claim }
      }
    },
    move: (id, claim, move) =>
      inTurn(id, async () => {
        const mine = held.get(id)
        if (mine?.task.claim !== claim) throw new MadhavaError('CLAIM_LOST')
        const before = withCancelRequest(mine.task)
        const next = await write(before, move(before), claim, mine.shownClaim)
        await honourCancelRequest(next)
        return next
      }),
    withClaim: (id, work) =>
      inTurn(id, async () => {
        refuseWhenLeft()
        if (held.has(id)) return null
        const got = await acquire(id)
        if (!got) return null
        try {
          return await work(got.task, got.claim)
        } finally {
          letClaim(id, got.claim)
        }
      }),
  }
}
