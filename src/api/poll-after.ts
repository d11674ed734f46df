// When asking again about a task is worth it. Pure.
import { type DueFields, dueOf } from '../core/due.ts'
import { isFinal, isRunning, type TaskRecord } from '../core/task.ts'

const LONGEST_SECONDS = 60

/**
 * Seconds for Retry-After, 1 to 60; null for a task that has ended. Until a waiting task is due; what a running one
 * foretells; else the longer, the longer nothing has moved.
 */
export const pollAfter = (
  task: DueFields & Pick<TaskRecord, 'updatedAt' | 'progress'>,
  now: Date,
): number | null => {
  if (isFinal(task.status)) return null
  const since = (time: string) => (now.getTime() - Date.parse(time)) / 1000
  const from = dueOf(task)?.from ?? null
  const ahead = from === null ? 0 : -since(from)
  const foretold = isRunning(task.status) ? (task.progress?.etaSeconds ?? 0) : 0
  const seconds = Math.max(ahead, foretold > 0 ? foretold : since(task.updatedAt) / 10)
  return Math.min(LONGEST_SECONDS, Math.max(1, Math.ceil(seconds)))
}
