// Moves: pure functions from one record to the next, and the only way to change a status. No I/O, no clock. A store
// applies a move under a claim and sets `claim` and `rev` itself. A move that throws changes nothing.
import { keptAttempts, withBegun, withEnded, withoutBegun } from './attempts.ts'
import { isExpired } from './due.ts'
import { MadhavaError } from './errors.ts'
import {
  HISTORY_LENGTH,
  isFinal,
  isRunning,
  isWaiting,
  type Json,
  type Status,
  type TaskRecord,
} from './task.ts'
import { FIELD_ROWS, type FieldsWith } from './task-fields.ts'

export type Move = (task: TaskRecord) => TaskRecord
export type TaskError = NonNullable<TaskRecord['error']>

export const illegal = (task: TaskRecord, to: string): MadhavaError =>
  new MadhavaError('ILLEGAL_MOVE', `A task in ${task.status} cannot be ${to}`, {
    detail: { id: task.id, status: task.status },
  })

export const enter = (
  task: TaskRecord,
  status: Status,
  at: string,
  change: Partial<TaskRecord> = {},
): TaskRecord => {
  const next: TaskRecord = { ...task, ...change, status, updatedAt: at }
  if (status !== task.status)
    next.history = [...task.history, { status, at, attempt: next.attempt, worker: next.worker }].slice(
      -HISTORY_LENGTH,
    )
  return next
}

/** What the caller supplies for a new record. All other fields start with fixed values. */
export type NewTask = Pick<TaskRecord, FieldsWith<'given'>>

const FIRST = FIELD_ROWS.filter(([, { given, first }]) => given || first)
/** Copying this object keeps the order of fields, and so the record's hidden class in V8. */
const BLANK = Object.fromEntries(FIRST.flatMap(([name, { optional }]) => (optional ? [] : [[name, null]])))

/** The first record of a task: PENDING, claim 0, rev 0. */
export const firstRecord = (task: NewTask): TaskRecord => {
  const record: Record<string, unknown> = { ...BLANK }
  for (const [name, { first }] of FIRST) {
    const value = first ? first(task) : task[name as keyof NewTask]
    if (value !== undefined) record[name] = value
  }
  return record as TaskRecord
}

/** Whatever claims it: what people do, no worker starts. */
const isForWorkers = ({ status, doneBy }: TaskRecord): boolean => isWaiting(status) && doneBy !== 'people'

/**
 * PENDING or RETRY -> STARTED, a new attempt, even if a cancel was requested or the task has expired: for a store
 * that learns later that an attempt began.
 */
export const startLate =
  (worker: string, at: string, code: string | null = null): Move =>
  task => {
    if (!isForWorkers(task)) throw illegal(task, 'started')
    return enter(task, 'STARTED', at, {
      attempt: task.attempt + 1,
      worker,
      attempts: withBegun(task, worker, at, code),
      startedAt: at,
      finishedAt: null,
      notBefore: null,
      progress: null,
      result: null,
      resultBytes: null,
      error: null,
    })
  }

/**
 * PENDING or RETRY -> STARTED, a new attempt; REVOKED if a cancel was requested, FAILURE if it has expired.
 * @param code of the kind that runs; null where that is not known
 */
export const start =
  (worker: string, at: string, code: string | null = null): Move =>
  task => {
    if (!isForWorkers(task)) throw illegal(task, 'started')
    if (task.revokeRequestedAt !== null) return revoke(at)(task)
    if (isExpired(task, at)) return expire(at)(task)
    return startLate(worker, at, code)(task)
  }

/** STARTED or PROGRESS -> PROGRESS. `percent` 0 to 100 never falls within an attempt. */
export const report =
  (progress: NonNullable<TaskRecord['progress']>, partial: Json, at: string): Move =>
  task => {
    if (!isRunning(task.status)) throw illegal(task, 'reported on')
    const bounded = Math.min(100, Math.max(0, progress.percent))
    // two decimals are precise enough
    const percent = Math.max(task.progress?.percent ?? 0, Math.floor(bounded * 100) / 100)
    return enter(task, 'PROGRESS', at, { progress: { ...progress, percent }, result: partial })
  }

/** -> SUCCESS, with the result itself, or with null and the size of its blob; and how it was computed. */
export const succeed =
  (result: Json, resultBytes: number | null, at: string, resultInfo?: Json): Move =>
  task => {
    if (!isRunning(task.status)) throw illegal(task, 'finished')
    return enter(task, 'SUCCESS', at, {
      result,
      resultBytes,
      ...(resultInfo === undefined ? {} : { resultInfo }),
      error: null,
      attempts: withEnded(task, at, 'SUCCESS'),
      finishedAt: at,
      progress: { percent: 100, note: task.progress?.note ?? null, etaSeconds: null },
    })
  }

/**
 * An attempt failed: RETRY until `retryAt` if that is given and attempts are left, else FAILURE. A cancel request
 * wins over both. A partial result stays readable after FAILURE.
 */
export const fail =
  (error: TaskError, retryAt: string | null, at: string): Move =>
  task => {
    if (!isRunning(task.status)) throw illegal(task, 'failed')
    if (task.revokeRequestedAt !== null) return revoke(at)(task)
    if (retryAt === null || task.attempt >= task.maxAttempts)
      return enter(task, 'FAILURE', at, {
        error,
        attempts: withEnded(task, at, 'FAILURE', error),
        finishedAt: at,
      })
    return enter(task, 'RETRY', at, {
      error,
      attempts: withEnded(task, at, 'RETRY', error),
      notBefore: retryAt,
      progress: null,
      result: null,
    })
  }

/**
 * For a RETRY that was set by a clock which went back since: its last move lies in the future. It waits for the same
 * time again, from now on.
 */
export const restartWait =
  (at: string): Move =>
  task => {
    if (task.status !== 'RETRY' || task.notBefore === null || task.updatedAt <= at)
      throw illegal(task, 'made to wait anew')
    const waitMs = Math.max(0, Date.parse(task.notBefore) - Date.parse(task.updatedAt))
    return enter(task, 'RETRY', at, { notBefore: new Date(Date.parse(at) + waitMs).toISOString() })
  }

/** Any status but an end -> REVOKED. */
export const revoke =
  (at: string): Move =>
  task => {
    if (isFinal(task.status)) throw illegal(task, 'revoked')
    return enter(task, 'REVOKED', at, {
      ...(isRunning(task.status) ? { attempts: withEnded(task, at, 'REVOKED') } : {}),
      finishedAt: at,
      revokeRequestedAt: task.revokeRequestedAt ?? at,
      notBefore: null,
    })
  }

/**
 * The holder gives the task back: PENDING, and the attempt does not count. `hasBegun`: the run had begun, so it was
 * started in time and no longer expires.
 */
export const giveBack =
  (at: string, hasBegun = true): Move =>
  task => {
    if (!isRunning(task.status)) throw illegal(task, 'given back')
    if (task.revokeRequestedAt !== null) return revoke(at)(task)
    return enter(task, 'PENDING', at, {
      attempt: Math.max(0, task.attempt - 1),
      attempts: hasBegun ? withEnded(task, at, 'GIVEN_BACK') : withoutBegun(task),
      expiresAt: hasBegun || task.attempt > 1 ? null : task.expiresAt,
      worker: null,
      startedAt: null,
      progress: null,
      result: null,
    })
  }

/** How often in a row a worker that shuts down may give a run back. The next time, the attempt counts. */
export const FREE_DRAINS = 5

/** A PENDING in `history` that names a worker was given back by that worker's shutdown. */
const drainsInSuccession = ({ history }: TaskRecord): number => {
  const others = history.filter(({ status }) => !isRunning(status))
  const last = others.findLastIndex(({ status, worker }) => status !== 'PENDING' || worker === null)
  return others.length - 1 - last
}

/**
 * The holder shuts down and gives the run back. After FREE_DRAINS times in a row the attempt counts, as if its worker
 * had died: the task may be the cause.
 */
export const drain =
  (at: string): Move =>
  task => {
    if (drainsInSuccession(task) >= FREE_DRAINS) return takeOver(at)(task)
    const next = giveBack(at)(task)
    const [last] = next.history.slice(-1)
    if (next.status !== 'PENDING' || !last) return next
    return { ...next, history: [...next.history.slice(0, -1), { ...last, worker: task.worker }] }
  }

/**
 * The holder died: PENDING with the attempt counted, FAILURE (WORKER_LOST) if none is left, REVOKED if requested. It
 * was started in time, and no longer expires.
 */
export const takeOver =
  (at: string): Move =>
  task => {
    if (!isRunning(task.status)) throw illegal(task, 'taken over')
    const error = {
      code: 'WORKER_LOST',
      message: `The worker died during attempt ${task.attempt} of ${task.maxAttempts}`,
      detail: { worker: task.worker },
    }
    const attempts = withEnded(task, at, 'LOST', error)
    if (task.revokeRequestedAt !== null) return revoke(at)({ ...task, attempts })
    const workersLost = (task.workersLost ?? 0) + 1
    if (task.attempt >= task.maxAttempts)
      return enter(task, 'FAILURE', at, { workersLost, attempts, finishedAt: at, error })
    return enter(task, 'PENDING', at, {
      workersLost,
      attempts,
      worker: null,
      startedAt: null,
      expiresAt: null,
      progress: null,
      result: null,
    })
  }

/** PENDING past its `expiresAt` -> FAILURE (EXPIRED). */
export const expire =
  (at: string): Move =>
  task => {
    if (!isExpired(task, at)) throw illegal(task, 'expired')
    return enter(task, 'FAILURE', at, {
      finishedAt: at,
      error: { code: 'EXPIRED', message: `Not started before ${task.expiresAt}`, detail: null },
    })
  }

/** A retry by hand: an end -> PENDING, with all attempts again, without files. The old end stays in `history`. */
export const retryByHand =
  (at: string): Move =>
  task => {
    if (!isFinal(task.status)) throw new MadhavaError('TASK_NOT_ENDED', `The task is ${task.status}`)
    const { resultInfo: _, workersLost: __, artifacts: ___, ...rest } = task
    const attempts = keptAttempts(task)
    return enter(rest as TaskRecord, 'PENDING', at, {
      ...(attempts.length > 0 ? { attempts } : {}),
      attempt: 0,
      worker: null,
      startedAt: null,
      finishedAt: null,
      notBefore: null,
      expiresAt: null,
      progress: null,
      result: null,
      resultBytes: null,
      error: null,
      revokeRequestedAt: null,
    })
  }
