// When a waiting task may be taken. Every reason to wait stands in `dueOf`; adapters index what it answers and decide
// nothing themselves, so that all of them mean the same by "due" (test/suites/store/due.ts).
import { isWaiting } from './status.ts'
import type { TaskRecord } from './task.ts'

/** What the reasons look at. A store has to know these fields of every task that waits. */
export type DueFields = Pick<TaskRecord, 'status' | 'notBefore' | 'expiresAt'>

/** The time in which a task may be taken; ISO-8601 as in the record. */
export interface Due {
  /** Not before. Null: at once. */
  from: string | null
  /** Not from then on: the task has expired. Null: never. */
  till: string | null
}

/**
 * Null: only a change of the record makes the task due, such as a move to a waiting status. A reason that time ends
 * makes `from` later; one that time brings makes `till` earlier; any other answers null as long as it lasts.
 */
export const dueOf = ({ status, notBefore, expiresAt }: DueFields): Due | null =>
  isWaiting(status) ? { from: notBefore, till: status === 'PENDING' ? expiresAt : null } : null

const hasCome = (time: string | null, now: string): boolean => time !== null && time <= now

/** Whether a worker may take it now, or its claim finds that it has expired. */
export const isReady = (task: DueFields, now: string): boolean => {
  const due = dueOf(task)
  return due !== null && (due.from === null || due.from <= now)
}
/** Whether it waits in vain: it had to start before. */
export const isExpired = (task: DueFields, now: string): boolean => hasCome(dueOf(task)?.till ?? null, now)
/** Whether a worker may take it now. */
export const isDue = (task: DueFields, now: string): boolean => isReady(task, now) && !isExpired(task, now)

/** When time alone changes next whether the task is due; null: it does not. */
export const dueChangesAt = (task: DueFields, now: string): string | null => {
  const { from, till } = dueOf(task) ?? { from: null, till: null }
  if (hasCome(till, now)) return null
  const ahead = [from, till].filter(time => time !== null && time > now)
  return ahead.sort()[0] ?? null
}

/** Since when a waiting task may be taken: its last move, or the time before which it was not to start. */
export const dueSince = (task: DueFields & Pick<TaskRecord, 'updatedAt'>): string => {
  const from = dueOf(task)?.from ?? task.updatedAt
  return from > task.updatedAt ? from : task.updatedAt
}
