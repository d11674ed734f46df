// Claims and starts the next task for the runner. The store decides which task it is.
import { dueSince } from '../core/due.ts'
import type { KindLimits } from '../core/kind-limits.ts'
import { start } from '../core/moves.ts'
import type { TaskStore } from '../core/store.ts'
import { isRunning, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'

export interface ClaimerDeps {
  store: Pick<TaskStore, 'claimNext'>
  /** The worker's name in records. */
  workerName: string
  clock: () => Date
  log: Log
  /** Called when tasks wait for their kind's rate. `untilMs`: when to poll again, milliseconds. */
  onPollAt: (untilMs: number) => void
  /** Called at the beginning of each poll; what it returns is called for each kind that is full. */
  pollStarted: () => (kind: string) => void
}

/** What may be claimed, all of one set of kinds. */
export interface ClaimableKinds {
  /** Names of the kinds that this process runs. */
  names: readonly string[]
  /** Those of them without limits. */
  unlimited: readonly string[]
  /** Limits of the kinds that have any, by name. */
  limits: Readonly<Record<string, KindLimits>>
  /** What a kind's file is, for the record; null where that is not known. */
  codeOf(name: string): string | null
}

export interface ClaimedTask {
  task: TaskRecord
  /** From the time that it was due to its start, milliseconds. */
  waitedMs: number
}

/**
 * `ahead`: tasks of kinds with limits and last attempts are left out. `alone`: suspects may be claimed; otherwise
 * `onSuspect` is called with the id of a suspect that comes first. Null: there is none. Never rejects.
 */
export type Claim = (
  kinds: ClaimableKinds,
  ahead: boolean,
  alone: boolean,
  onSuspect: (id: string) => void,
) => Promise<ClaimedTask | null>

/** Thrown by a move, so that the store releases the claim. */
class NotAhead extends Error {}

/** If the worker died before the run began, the attempt would count: no task loses its last one that way. */
const refuseLastAttempt = ({ attempt, maxAttempts }: TaskRecord): void => {
  if (attempt + 1 >= maxAttempts) throw new NotAhead('a task is not taken ahead for its last attempt')
}

export const createClaimer = (deps: ClaimerDeps): Claim => {
  const { store, workerName, clock, log, onPollAt, pollStarted } = deps

  return async ({ names, unlimited, limits, codeOf }, ahead, alone, onSuspect) => {
    try {
      const now = clock().toISOString()
      let dueAt = now
      const task = await store.claimNext(
        {
          // a task that waits here would keep others of its kind from running elsewhere
          kinds: ahead ? unlimited : names,
          now,
          allowSuspect: alone,
          limits,
          onSuspect,
          onRateLimited: (_kind, untilMs) => onPollAt(untilMs),
          onKindFull: pollStarted(),
        },
        found => {
          if (ahead) refuseLastAttempt(found)
          dueAt = dueSince(found)
          // a claim may take its time among many concurrent ones
          return start(workerName, clock().toISOString(), codeOf(found.kind))(found)
        },
      )
      if (!task || !isRunning(task.status)) return null
      return { task, waitedMs: Date.parse(task.startedAt ?? now) - Date.parse(dueAt) }
    } catch (error) {
      if (!(error instanceof NotAhead)) log.warn({ error }, 'looking for a task failed')
      return null
    }
  }
}
