// The attempts at a task as its record keeps them: the last ones, each with its worker, its times, and how it ended.
// Pure: the moves call these, so every store has the same.
import { boundedText } from './error-bounds.ts'
import { isFinal, isRunning } from './status.ts'
import { ATTEMPTS_KEPT, type AttemptOutcome, type TaskRecord } from './task.ts'

export type AttemptEntry = NonNullable<TaskRecord['attempts']>[number]

/** So many of the last entries keep their error whole: of older ones it is code and beginning, without the detail. */
const WHOLE_ERRORS = 3
const OLD_MESSAGE = 200

const OUTCOME_OF_END: Partial<Record<TaskRecord['status'], AttemptOutcome>> = {
  SUCCESS: 'SUCCESS',
  FAILURE: 'FAILURE',
  RETRY: 'RETRY',
  REVOKED: 'REVOKED',
}

/** Of a record from before `attempts`: its last attempt, as far as its other fields tell of it. */
const lastOfOlder = (task: TaskRecord): AttemptEntry[] => {
  const { attempt, worker, startedAt, finishedAt, updatedAt, status, error } = task
  if (attempt === 0 || worker === null || startedAt === null) return []
  if (isRunning(status)) return [{ attempt, worker, startedAt, endedAt: null, outcome: null, error: null }]
  const endedAt = isFinal(status) ? (finishedAt ?? updatedAt) : updatedAt
  return [{ attempt, worker, startedAt, endedAt, outcome: OUTCOME_OF_END[status] ?? 'LOST', error }]
}

/** All that is known of them. */
export const keptAttempts = (task: TaskRecord): AttemptEntry[] => task.attempts ?? lastOfOlder(task)

const shortened = (entry: AttemptEntry): AttemptEntry => {
  const { error } = entry
  if (error === null || (error.detail === null && error.message.length <= OLD_MESSAGE)) return entry
  return {
    ...entry,
    error: { code: error.code, message: boundedText(error.message, OLD_MESSAGE), detail: null },
  }
}

/** The number of the attempt that runs, or ran last: it goes on through a retry by hand. 0 before the first. */
export const attemptNumber = (task: TaskRecord): number => keptAttempts(task).at(-1)?.attempt ?? task.attempt

/** With one more, which runs. */
export const withBegun = (
  task: TaskRecord,
  worker: string,
  at: string,
  code: string | null = null,
): AttemptEntry[] => {
  const entries = keptAttempts(task).slice(1 - ATTEMPTS_KEPT)
  const old = entries.length + 1 - WHOLE_ERRORS
  return [
    ...entries.map((entry, place) => (place < old ? shortened(entry) : entry)),
    {
      attempt: attemptNumber(task) + 1,
      worker,
      ...(code === null ? {} : { code }),
      startedAt: at,
      endedAt: null,
      outcome: null,
      error: null,
    },
  ]
}

/** With the end of the one that runs. */
export const withEnded = (
  task: TaskRecord,
  at: string,
  outcome: AttemptOutcome,
  error: AttemptEntry['error'] = null,
): AttemptEntry[] => {
  const entries = keptAttempts(task)
  const last = entries.at(-1)
  if (!last || last.outcome !== null) return entries
  return [...entries.slice(0, -1), { ...last, endedAt: at, outcome, error }]
}

/** Without the one that runs: nothing of it had begun, so its number is free again. */
export const withoutBegun = (task: TaskRecord): AttemptEntry[] => {
  const entries = keptAttempts(task)
  return entries.at(-1)?.outcome === null ? entries.slice(0, -1) : entries
}
