// Cancels, retries or removes many tasks by a filter. Each call does a bounded piece of the work and returns counts.
import { type ErrorCode, isMadhavaError } from './errors.ts'
import type { TaskFilter, TaskPage } from './store.ts'
import { isFinal, STATUSES, type Status, type TaskRecord } from './task.ts'
import { turns } from './turns.ts'

export const BULK_ACTIONS = ['cancel', 'retry', 'delete'] as const
export type BulkAction = (typeof BULK_ACTIONS)[number]

export interface BulkOutcome {
  action: BulkAction
  dryRun: boolean
  /** Tasks that fit the filter and whose status allows the action. */
  matched: number
  /** Tasks that were changed. A running task counts once its cancel is requested. 0 in a dry run. */
  done: number
  /** Tasks that moved meanwhile or could not be changed, counted by error code. */
  refused: Partial<Record<ErrorCode, number>>
  /** Where the next call continues; null when all is done. */
  next: string | null
}

/** The most that one call does: tasks changed, milliseconds spent. */
export const BULK_LIMITS = { tasks: 10_000, ms: 20_000 }
const PAGE = 100
const AT_A_TIME = 32

export interface BulkDeps {
  list: (filter: TaskFilter, page: { limit: number; cursor: string | null }) => Promise<TaskPage>
  /** Each acts on one task, or throws the reason why it cannot. */
  acts: Readonly<Record<BulkAction, (id: string) => Promise<unknown>>>
  /** Milliseconds. */
  elapsed?: () => number
  limits?: Partial<typeof BULK_LIMITS>
}

const meantFor = (action: BulkAction, status: Status): boolean =>
  action === 'cancel' ? !isFinal(status) : isFinal(status)

/** Errors that concern one task. Any other error ends the call. */
const SINGLE_TASK_ERRORS: readonly ErrorCode[] = [
  'TASK_NOT_FOUND',
  'TASK_ENDED',
  'TASK_NOT_ENDED',
  'TASK_BUSY',
  'QUOTA_EXCEEDED',
]

export const createBulk = ({ list, acts, elapsed = () => performance.now(), limits = {} }: BulkDeps) => {
  const bound = { ...BULK_LIMITS, ...limits }

  const act = async (
    action: BulkAction,
    tasks: readonly TaskRecord[],
    outcome: BulkOutcome,
  ): Promise<void> => {
    for (let at = 0; at < tasks.length; at += AT_A_TIME)
      await Promise.all(
        tasks.slice(at, at + AT_A_TIME).map(async ({ id }) => {
          try {
            await acts[action](id)
            outcome.done += 1
          } catch (error) {
            if (!isMadhavaError(error) || !SINGLE_TASK_ERRORS.includes(error.code)) throw error
            outcome.refused[error.code] = (outcome.refused[error.code] ?? 0) + 1
          }
        }),
      )
  }

  /** @param options.signal ends it early, behind a page. @throws BAD_CURSOR, STORE_UNAVAILABLE, STORE_FULL */
  return async (
    action: BulkAction,
    filter: TaskFilter,
    { dryRun, cursor, signal }: { dryRun: boolean; cursor: string | null; signal?: AbortSignal | undefined },
  ): Promise<BulkOutcome> => {
    const begun = elapsed()
    const outcome: BulkOutcome = { action, dryRun, matched: 0, done: 0, refused: {}, next: cursor }
    const statuses = (filter.statuses ?? STATUSES).filter(status => meantFor(action, status))
    if (statuses.length === 0) return { ...outcome, next: null }
    do {
      const limit = dryRun ? PAGE : Math.min(PAGE, bound.tasks - outcome.matched)
      const page = await list({ ...filter, statuses }, { limit, cursor: outcome.next })
      outcome.matched += page.tasks.length
      if (!dryRun) await act(action, page.tasks, outcome)
      outcome.next = page.next
      // gives other work a turn, even if the store answers at once
      await turns.spend(page.tasks.length)
    } while (
      outcome.next !== null &&
      signal?.aborted !== true &&
      elapsed() - begun < bound.ms &&
      (dryRun || outcome.matched < bound.tasks)
    )
    return outcome
  }
}
