// Who may write a record: acquiring a claim, writing under it, letting go. The protocol of the adapter:
//   1. claim n = record.claim + 1; where that is taken by a dead process, the next number; by a live one: give up
//   2. with the claim, the record is read again: had its claim number changed meanwhile, start over
//   3. only the holder writes the record; the claim is let go after a record that is not running is visible
//   4. a claim above the record's number is never removed by others: two takers could else hold two numbers
// No live process is ever overruled, so that a check before a rename is enough.
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { type Move, revoke } from '../../core/moves.ts'
import { isFinal, isRunning, isWaiting, type Status, type TaskRecord, taskSchema } from '../../core/task.ts'
import type { Claims } from './claims.ts'
import type { Committer } from './committer.ts'
import type { Instances } from './instance.ts'
import type { SafeId } from './layout.ts'
import { type Revokes, wishFor } from './marks.ts'
import type { Records } from './records.ts'

export interface Holder {
  /** @throws TASK_NOT_FOUND, what the move throws. Null: a live process holds the task. */
  claim(id: SafeId, move: Move, check?: Check): Promise<TaskRecord | null>
  /** @throws CLAIM_LOST, what the move throws */
  move(id: SafeId, claim: number, move: Move): Promise<TaskRecord>
  /** Runs `work` with the claim on a task, writes nothing, lets go. Null: a live process holds it. */
  withClaim<T>(id: SafeId, work: (task: TaskRecord, claim: number) => Promise<T>): Promise<T | null>
  /** Whether this process is just working on the task. */
  isBusy(id: SafeId): boolean
  /** Whether a live process holds the claim that a running record names. */
  isHeld(task: Pick<TaskRecord, 'id' | 'claim'>): Promise<boolean>
  /** Waits for what is under way, then forgets every claim: this process writes nothing any more. */
  leave(): Promise<void>
  /** The record as readers see it: with the wish to cancel that its holder has not written yet. */
  read(id: SafeId): TaskRecord | null
  /** @throws TASK_NOT_FOUND */
  mustRead(id: SafeId): TaskRecord
  /**
   * The record, and the highest claim number that anybody has taken: above the record's while a taker writes.
   * @throws TASK_NOT_FOUND
   */
  standing(id: SafeId): Acquired
}

/** Looks at the task while the claim is taken and nothing is written. What it throws lets go. */
export type Check = (task: TaskRecord) => Promise<void>

interface Acquired {
  task: TaskRecord
  claim: number
}

interface HolderDeps {
  records: Records
  committer: Committer
  claims: Claims
  revokes: Revokes
  instances: Instances
  publish: (task: TaskRecord) => void
  /** What this process believes of a task, which may be out of date; null when it knows nothing. */
  lookUp: (id: SafeId) => { claim: number; status: Status } | null
}

const notFound = (id: string) => new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)

/** One call after another per id; an entry lives only as long as somebody waits. */
const createTurns = () => {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take<T>(id: string, work: () => Promise<T>): Promise<T> {
      const before = last.get(id)
      const mine = (before ?? Promise.resolve()).then(work, work)
      last.set(id, mine)
      try {
        return await mine
      } finally {
        if (last.get(id) === mine) last.delete(id)
      }
    },
    isTaken: (id: string) => last.has(id),
    all: () => Promise.allSettled(last.values()),
  }
}

export const createHolder = (deps: HolderDeps): Holder => {
  const { records, committer, claims, revokes, instances, publish, lookUp } = deps
  const turns = createTurns()
  const inTurn = turns.take
  let left = false
  /** The records that this process holds: nobody else writes them, so memory is as good as the file. */
  const held = new Map<string, TaskRecord>()

  const isHeld: Holder['isHeld'] = async task => {
    const owner = claims.owner(task.id as SafeId, task.claim)
    return owner !== null && (await instances.isAlive(owner))
  }

  const withWish = (task: TaskRecord, wish = revokes.read(task.id as SafeId)): TaskRecord => {
    const revokeRequestedAt = task.revokeRequestedAt ?? wishFor(task, wish)
    return revokeRequestedAt === task.revokeRequestedAt ? task : { ...task, revokeRequestedAt }
  }

  const read: Holder['read'] = id => {
    // the wish first: it goes with the end, and the record from before the end would be seen without it
    const wish = revokes.read(id)
    const task = records.read(id)
    return task && withWish(task, wish)
  }

  /**
   * The common case in the fewest steps: the claim is taken under the number that the index makes us expect, and the
   * record then says whether that was right. Null: it was not, or there is more to look at.
   */
  const acquireExpected = (id: SafeId): Acquired | null => {
    const expected = lookUp(id)
    if (!expected || isRunning(expected.status)) return null
    const claim = expected.claim + 1
    if (!claims.take(id, claim)) return null
    let task: TaskRecord | null = null
    try {
      task = records.read(id)
      if (task && task.claim === expected.claim && !isRunning(task.status)) return { task, claim }
      task = null
    } finally {
      if (!task) claims.drop(id, claim)
    }
    return null
  }

  const acquire = async (id: SafeId): Promise<Acquired | null> => {
    const expected = acquireExpected(id)
    if (expected) return expected
    for (;;) {
      const task = records.read(id)
      if (!task) throw notFound(id)
      if (isRunning(task.status) && (await isHeld(task))) return null
      let claim = task.claim + 1
      let startOver = false
      while (!claims.take(id, claim)) {
        const owner = claims.owner(id, claim)
        if (owner === null) startOver = true
        else if (await instances.isAlive(owner)) return null
        if (startOver) break
        claim += 1
      }
      if (startOver) continue
      const now = records.read(id)
      if (now?.claim === task.claim) return { task: now, claim }
      claims.drop(id, claim)
    }
  }

  /** Writes the next record under the claim and lets go of it when the task no longer runs. */
  const write = async (before: TaskRecord, after: TaskRecord, claim: number): Promise<TaskRecord> => {
    const id = before.id as SafeId
    const next = { ...after, id: before.id, claim, rev: before.rev + 1 }
    // a move must not be able to write what no reader takes: it changes nothing then
    const checked = taskSchema.safeParse(next)
    if (!checked.success)
      throw new MadhavaError('ILLEGAL_MOVE', 'A move made a record that is not valid', {
        cause: checked.error,
      })
    await committer.commit({ type: 'task', task: next }, () => {
      const staged = records.replace(next)
      return {
        discard: staged.discard,
        show() {
          staged.show()
          publish(next)
          if (isRunning(next.status)) held.set(id, next)
          else held.delete(id)
        },
      }
    })
    // claims begin at 1
    for (let older = Math.max(before.claim, 1); older < claim; older += 1) claims.drop(id, older)
    if (isRunning(next.status)) return next
    // a wish that comes from now on finds that the task has ended, and is taken back by who made it
    if (isFinal(next.status) && before.revokeRequestedAt !== null) revokes.remove(id)
    claims.release(id, claim)
    return next
  }

  /** A wish that came while a task was let go would else wait until it is due. */
  const honourWish = async (task: TaskRecord): Promise<void> => {
    if (!isWaiting(task.status)) return
    const at = wishFor(task, revokes.read(task.id as SafeId))
    if (at === null) return
    try {
      await claimNow(task.id as SafeId, revoke(at))
    } catch (error) {
      // whoever wished has looked once more and was faster
      if (!isMadhavaError(error, 'ILLEGAL_MOVE') && !isMadhavaError(error, 'TASK_NOT_FOUND')) throw error
    }
  }

  const claimNow = async (id: SafeId, move: Move, check?: Check): Promise<TaskRecord | null> => {
    refuseWhenLeft()
    if (held.has(id)) return null
    const got = await acquire(id)
    if (!got) return null
    try {
      // a wish left over from before the end is of no use
      if (isFinal(got.task.status)) revokes.remove(id)
      await check?.(got.task)
      const task = withWish(got.task)
      return await write(task, move(task), got.claim)
    } catch (error) {
      if (!held.has(id)) claims.drop(id, got.claim)
      throw error
    }
  }

  /** The others see this process as dead: what it would take could be taken from it at once. */
  const refuseWhenLeft = (): void => {
    if (left) throw new MadhavaError('STORE_UNAVAILABLE', 'This process has left the store')
  }

  const mustRead: Holder['mustRead'] = id => {
    const task = read(id)
    if (!task) throw notFound(id)
    return task
  }

  return {
    isBusy: id => turns.isTaken(id),
    isHeld,
    async leave() {
      left = true
      await turns.all()
      held.clear()
    },
    read,
    mustRead,
    claim: (id, move, check) =>
      inTurn(id, async () => {
        const next = await claimNow(id, move, check)
        if (next) await honourWish(next)
        return next
      }),
    standing(id) {
      for (;;) {
        const task = mustRead(id)
        let claim = task.claim
        while (claims.owner(id, claim + 1) !== null) claim += 1
        // a taker that has shown its record and let go meanwhile has left no number to see
        if (mustRead(id).claim === task.claim) return { task, claim }
      }
    },
    move: (id, claim, move) =>
      inTurn(id, async () => {
        const task = held.get(id)
        if (!task || task.claim !== claim) throw new MadhavaError('CLAIM_LOST')
        const wished = withWish(task)
        const next = await write(wished, move(wished), claim)
        await honourWish(next)
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
          claims.drop(id, got.claim)
        }
      }),
  }
}
