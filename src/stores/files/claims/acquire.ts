// Acquiring the claim on a task, and what the claims of the dead tell. It writes no record.
import { MadhavaError } from '../../../core/errors.ts'
import { startLate } from '../../../core/moves.ts'
import { isRunning, isWaiting, type Status, type TaskRecord } from '../../../core/task.ts'
import type { SafeId } from '../layout.ts'
import type { Writer } from '../log/writer.ts'
import type { Records } from '../records/records.ts'
import type { ClaimFiles, Purpose } from './claim-files.ts'
import type { Instances } from './instances.ts'

export interface Acquired {
  task: TaskRecord
  claim: number
  /** False: there was no cancel request when the claim was taken. */
  mayHaveRequest: boolean
}

/** An attempt that a dead process had begun. */
interface Begun {
  owner: string
  at: Date
}

export interface ClaimAcquirer {
  /** Takes the claim under the next free number, and reads the record. Null: a live process holds it. */
  acquire(id: SafeId, purpose?: Purpose): Promise<Acquired | null>
  /** Whether a live process holds the claim that a running record names. */
  isHeld(task: Pick<TaskRecord, 'id' | 'claim'>): Promise<boolean>
  /** Tasks that dead processes had begun to run, and whose records do not say so. */
  begunByDead(isDead: (instance: string) => boolean): SafeId[]
}

interface ClaimAcquirerDeps {
  records: Records
  claimFiles: ClaimFiles
  instances: Instances
  writer: Pick<Writer, 'take'>
  /** What this process knows of a task, perhaps out of date; null when it knows nothing. */
  lookUp: (id: SafeId) => { claim: number; status: Status } | null
}

export const notFound = (id: string) => new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)

export const createClaimAcquirer = (deps: ClaimAcquirerDeps): ClaimAcquirer => {
  const { records, claimFiles, instances, writer, lookUp } = deps

  const isHeld: ClaimAcquirer['isHeld'] = async task => {
    const owner = claimFiles.owner(task.id as SafeId, task.claim)
    return owner !== null && (await instances.isAlive(owner))
  }

  /**
   * The common case in the fewest steps: takes the claim under the number that the index suggests. The record then
   * says whether that was right. Null: it was not, or more has to be read.
   */
  const acquireExpected = async (id: SafeId, purpose: Purpose): Promise<Acquired | null> => {
    const expected = lookUp(id)
    if (!expected || isRunning(expected.status)) return null
    const claim = expected.claim + 1
    const got = await writer.take(claimFiles.order(id, claim, purpose))
    if (!got.taken) return null
    let task: TaskRecord | null = null
    try {
      task = got.text === null ? records.read(id) : records.parse(id, got.text)
      if (task && task.claim === expected.claim && !isRunning(task.status))
        return { task, claim, mayHaveRequest: got.mayHaveRequest }
      task = null
    } finally {
      if (!task) claimFiles.drop(id, claim)
    }
    return null
  }

  /** The record that a process had in memory when it died. */
  const asBegun = async (task: TaskRecord, { owner, at }: Begun): Promise<TaskRecord> => {
    if (!isWaiting(task.status)) return task
    const dead = (await instances.presences()).find(({ instance }) => instance === owner)
    return startLate(dead ? `${dead.host}:${dead.pid}` : owner, at.toISOString())(task)
  }

  const acquire: ClaimAcquirer['acquire'] = async (id, purpose = 'write') => {
    const expected = await acquireExpected(id, purpose)
    if (expected) return expected
    for (;;) {
      const task = records.read(id)
      if (!task) throw notFound(id)
      if (isRunning(task.status) && (await isHeld(task))) return null
      let claim = task.claim + 1
      let startOver = false
      let attempt: Begun | null = null
      while (!claimFiles.take(id, claim, purpose)) {
        const owner = claimFiles.owner(id, claim)
        if (owner === null) startOver = true
        else if (await instances.isAlive(owner)) return null
        if (startOver) break
        const at = claimFiles.begunAt(id, claim)
        if (at && owner) attempt = { owner, at }
        claim += 1
      }
      if (startOver) continue
      let taken: TaskRecord | null = null
      try {
        const now = records.read(id)
        if (now?.claim === task.claim) taken = attempt ? await asBegun(now, attempt) : now
      } finally {
        if (!taken) claimFiles.drop(id, claim)
      }
      if (taken) return { task: taken, claim, mayHaveRequest: true }
    }
  }

  return {
    acquire,
    isHeld,
    begunByDead(isDead) {
      const ids = new Set<SafeId>()
      for (const { id, number } of claimFiles.list()) {
        if (!isDead(claimFiles.owner(id, number) ?? '') || !claimFiles.begunAt(id, number)) continue
        const task = records.read(id)
        if (task && isWaiting(task.status) && number > task.claim) ids.add(id)
      }
      return [...ids]
    },
  }
}
