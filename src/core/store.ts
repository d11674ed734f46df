// Port: where records, results and presences live. The store is the truth; everything else is a hint.
// Its meaning is decided by test/suites/store.ts, which runs on every adapter. No optional methods, no raw client.

import type { Readable } from 'node:stream'
import type { TaskFilter } from './filter.ts'
import type { KindLimits } from './kind-limits.ts'
import type { Move } from './moves.ts'
import type { PresenceDetails, SeenPresence } from './presence.ts'
import type { Status, TaskRecord } from './task.ts'

export type { TaskFilter } from './filter.ts'
export type { Presence, PresenceDetails, SeenPresence } from './presence.ts'

/** One page, newest first. `next` continues after it and is null at the end. */
export interface TaskPage {
  tasks: TaskRecord[]
  next: string | null
}

/** What a worker takes. The callbacks tell why a task that is due was not given to it. */
export interface Wanted {
  kinds: readonly string[]
  now: string
  /** By kind, over all processes. Tasks of a kind with a limit begin in their order. */
  limits?: Readonly<Record<string, KindLimits>>
  /** Nothing else runs in this process: a suspect may be taken (core/task.ts). */
  alone?: boolean
  /** It is the turn of a suspect. */
  onSuspect?: (id: string) => void
  /** The kind is at its rate, or others are taking what may begin of it: when to look again, milliseconds. */
  onHeldBack?: (kind: string, untilMs: number) => void
  /** As many tasks of the kind run as may. */
  onFull?: (kind: string) => void
}

export interface TaskCounts {
  total: number
  byStatus: Record<Status, number>
  byKind: Record<string, Partial<Record<Status, number>>>
}

/**
 * An entry of the feed. Per task never backwards in (claim, rev); entries may be missing in between, the latest
 * state of a task never is. `cursor` resumes after this entry, also after a restart.
 */
export type Change =
  | { type: 'task'; cursor: string; task: TaskRecord }
  /** Somebody asked to cancel a task that is held; its record follows when the holder acts. */
  | { type: 'revoke'; cursor: string; id: string; at: string }
  | { type: 'removed'; cursor: string; id: string }

/** What the sweeper has to do now. */
export interface Agenda {
  /** Tasks that a worker may take now. */
  due: number
  /** Some of them, by priority, then age: at most the limit asked for. */
  dueIds: string[]
  /** PENDING and past `expiresAt`. */
  expired: string[]
  /** Running, and the holder is dead. */
  orphaned: string[]
  /** When the next waiting task becomes due or expires; null when none will. */
  nextAt: string | null
}

export interface RetentionRule {
  /** Ended tasks whose `finishedAt` lies before this are removed. Null: no rule by age. */
  finishedBefore: string | null
  /** The same for those that ended in FAILURE. Null, as when left out: `finishedBefore` counts for them too. */
  failedBefore?: string | null
  /** At most so many ended tasks are kept, failed or not; the oldest ends go first. Null: no rule by count. */
  maxCount: number | null
  /** At most so many bytes of blobs and records of ended tasks are kept. Null: no rule by size. */
  maxBytes: number | null
}

export interface BlobInfo {
  name: string
  bytes: number
}

export interface TaskStore {
  /** This process's own id in the store; the owner of its claims. */
  readonly instance: string

  /**
   * Makes a task: it is durable and every reader sees it. Where its owner has used its `idempotencyKey` before, with
   * the same fingerprint of what was asked, the answer is the first task instead. `admit` is asked before a task is
   * made; what it rejects with is thrown. @throws TASK_EXISTS, IDEMPOTENCY_MISMATCH, STORE_FULL
   */
  create(
    task: TaskRecord,
    fingerprint: string | null,
    admit?: () => Promise<void>,
  ): Promise<{ task: TaskRecord; created: boolean }>

  /**
   * The newest state, or null; never older than what any process was shown before. Only an attempt that `claimNext`
   * has just begun shows a moment later in other processes. @throws BAD_ID
   */
  get(id: string): Promise<TaskRecord | null>

  /** @throws BAD_CURSOR */
  list(filter: TaskFilter, page: { limit: number; cursor: string | null }): Promise<TaskPage>

  counts(): Promise<TaskCounts>

  /**
   * Acquires the claim on one task with the next claim number and applies the move, as one step. The claim stays held
   * where the move ends in a running status. Null when a live process holds the task. A move that throws changes
   * nothing and lets go. @throws TASK_NOT_FOUND, BAD_ID, what the move throws
   */
  claim(id: string, move: Move): Promise<TaskRecord | null>

  /**
   * As `claim`, of the due task with the highest priority, then the greatest age. One that the move ends (cancelled,
   * expired) is done on the way. Null: nothing is due, `want` was told why not, or the store is nearly full; every
   * task whose create had resolved anywhere was considered. Should this process die at once, the attempt counts all
   * the same. @throws what the move throws
   */
  claimNext(want: Wanted, move: Move): Promise<TaskRecord | null>

  /**
   * Applies a move to a task that this process holds under this claim number; lets go when it ends in a status that is
   * not running. Moves on one task happen one after another, in the order of the calls.
   * @throws CLAIM_LOST when the number is not the current claim of this process; what the move throws
   */
  move(id: string, claim: number, move: Move): Promise<TaskRecord>

  /**
   * Asks for the end of a task. `revoked`: it is REVOKED now. `requested`: a live process holds it; the request is
   * durable, shows as `revokeRequestedAt`, and the holder or the next taker acts on it. `ended`: it had ended before.
   * @throws TASK_NOT_FOUND
   */
  revoke(id: string, at: string): Promise<{ outcome: 'revoked' | 'requested' | 'ended'; task: TaskRecord }>

  /** Removes an ended task with all that belongs to it. @throws TASK_NOT_FOUND, TASK_NOT_ENDED */
  remove(id: string): Promise<void>

  /**
   * Writes bytes beside a record, whole or not at all; replaces a blob of this name. Names match
   * `[a-z0-9][a-z0-9.-]{0,63}`. @throws TASK_NOT_FOUND, BAD_KEY, STORE_FULL; CLAIM_LOST when this process held the
   * task and another one has taken it over
   */
  putBlob(id: string, name: string, bytes: Uint8Array | Readable): Promise<BlobInfo>
  /** Reads `start` to `end` (exclusive) of a blob, or all of it; null when there is none. @throws BAD_KEY */
  getBlob(
    id: string,
    name: string,
    range?: { start: number; end: number },
  ): Promise<{ bytes: number; stream: Readable } | null>
  /** Nothing happens when it is not there. @throws CLAIM_LOST, as putBlob */
  removeBlob(id: string, name: string): Promise<void>
  listBlobs(id: string): Promise<BlobInfo[]>

  /** The present end of the feed. */
  cursor(): Promise<string>
  /**
   * Changes after the cursor, for ever, until the signal fires. Resumable for at least the last 10,000 changes or
   * an hour. @throws CURSOR_TOO_OLD, BAD_CURSOR (from the first step of the iteration)
   */
  changes(since: string, signal: AbortSignal): AsyncIterable<Change>
  /**
   * The ids of the tasks that changed after the cursor, up to now, each once, and the cursor behind them: for whoever
   * was away. Tasks that were removed, or whose cancel was requested, are among them. @throws CURSOR_TOO_OLD,
   * BAD_CURSOR
   */
  changedSince(cursor: string): Promise<{ ids: string[]; cursor: string }>

  /** Writes this process's presence, and beats from then on with what `details` returns. */
  announce(presence: { role: string; details: () => PresenceDetails }): Promise<void>
  presences(): Promise<SeenPresence[]>
  /** Takes this process's presence away; claims it still holds are free at once. */
  leave(): Promise<void>

  /** With `kinds`, `due` and `dueIds` tell of these alone; all the rest is of every kind. */
  agenda(now: string, limit: number, kinds?: readonly string[]): Promise<Agenda>
  /** Applies the rule; answers how many tasks were removed. */
  retain(rule: RetentionRule): Promise<number>

  /** Running totals of this process's store since it was opened, by name. */
  counters(): Record<string, number>

  /**
   * Proves that the store can be read and written. @throws STORE_UNAVAILABLE with the reason; STORE_FULL when it only
   * takes no new tasks
   */
  check(): Promise<void>
  /** Idempotent. Leaves, and gives back every handle. */
  close(): Promise<void>
}
