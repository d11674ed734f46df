// When a waiting task may be taken. `dueOf` holds every reason to wait. Adapters index its answer and decide nothing
// themselves, so "due" means the same everywhere (test/suites/store/due.ts).
import { isWaiting } from './status.ts'
import type { TaskRecord } from './task.ts'

/** What the reasons depend on. A store must know these fields of every waiting task. */
export type DueFields = Pick<TaskRecord, 'status' | 'notBefore' | 'expiresAt' | 'doneBy'>

/** The time in which a task may be taken; ISO-8601 as in the record. */
export interface Due {
  /** Not before. Null: at once. */
  from: string | null
  /** Before this time; then the task has expired. Null: never. */
  till: string | null
}

/**
 * Null: only a change of the record makes the task due, such as a move to a waiting status. A reason that ends with
 * time makes `from` later. A reason that begins with time makes `till` earlier. Any other reason answers null while
 * it lasts: a task that people do is never due.
 */
export const dueOf = ({ status, notBefore, expiresAt, doneBy }: DueFields): Due | null => {
  if (!isWaiting(status) || doneBy === 'people') return null
  return { from: notBefore, till: status === 'PENDING' ? expiresAt : null }
}

const hasCome = (time: string | null, now: string): boolean => time !== null && time <= now

/** Whether a worker may claim it now. The claim may then find that it has expired. */
export const isReady = (task: DueFields, now: string): boolean => {
  const due = dueOf(task)
  return due !== null && (due.from === null || due.from <= now)
}
/** Whether it has expired: it was not started in time. */
export const isExpired = (task: DueFields, now: string): boolean => hasCome(dueOf(task)?.till ?? null, now)
/** Whether a worker may take it now. */
export const isDue = (task: DueFields, now: string): boolean => isReady(task, now) && !isExpired(task, now)

/** When time alone will next change whether the task is due; null: never. */
export const dueChangesAt = (task: DueFields, now: string): string | null => {
  const { from, till } = dueOf(task) ?? { from: null, till: null }
  if (hasCome(till, now)) return null
  const ahead = [from, till].filter(time => time !== null && time > now)
  return ahead.sort()[0] ?? null
}

/** Since when a waiting task may be taken: its last move, or its `notBefore`. */
export const dueSince = (task: DueFields & Pick<TaskRecord, 'updatedAt'>): string => {
  const from = dueOf(task)?.from ?? task.updatedAt
  return from > task.updatedAt ? from : task.updatedAt
}
