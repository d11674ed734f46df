// Port: where records, results and presences are kept. The store is the truth; everything else is a hint.
// test/suites/store.ts defines its meaning and runs on every adapter. No optional methods, no raw client.

import type { Readable } from 'node:stream'
import type { AuditTrail } from './audit.ts'
import type { CollectionName, Documents } from './documents.ts'
import type { TaskFilter } from './filter.ts'
import type { KindLimits } from './kind-limits.ts'
import type { Line, LineFields, LineQuery } from './line.ts'
import type { Move } from './moves.ts'
import type { PresenceDetails, SeenPresence } from './presence.ts'
import type { PageRequest } from './sort.ts'
import type { Status, TaskRecord } from './task.ts'
import type { UploadBytes } from './upload-bytes.ts'

export type { TaskFilter } from './filter.ts'
export type { Presence, PresenceDetails, SeenPresence } from './presence.ts'
export type { PageRequest } from './sort.ts'

/** One page. `next` continues after it; null at the end. */
export interface TaskPage {
  tasks: TaskRecord[]
  next: string | null
}

/** Which tasks a worker may claim. The callbacks say why it did not get a due task. */
export interface ClaimOptions {
  kinds: readonly string[]
  now: string
  /** By kind, over all processes. Tasks of a kind with a limit begin in order. */
  limits?: Readonly<Record<string, KindLimits>>
  /** Nothing else runs in this process, so a suspect may be claimed (core/task.ts). */
  allowSuspect?: boolean
  /** The next task is a suspect. */
  onSuspect?: (id: string) => void
  /** The kind is at its rate, or others are claiming what may begin. `untilMs`: when to look again, milliseconds. */
  onRateLimited?: (kind: string, untilMs: number) => void
  /** The kind is at its `maxConcurrency`. */
  onKindFull?: (kind: string) => void
}

export interface TaskCounts {
  total: number
  byStatus: Record<Status, number>
  byKind: Record<string, Partial<Record<Status, number>>>
}

/** What is still known of a task that was removed; undefined where it is not, as of entries of earlier versions. */
export interface RemovedTask {
  /** Null: it was nobody's. */
  owner: string | null | undefined
  kind: string | undefined
}

export type CountedSubmitter = { key: string } | { address: string }

/** What a name has left within a window of a minute. */
export interface RateState {
  /** False: there was no room for so many, and nothing was counted. */
  allowed: boolean
  left: number
  /** Until the window ends, milliseconds. */
  resetMs: number
  /** Takes back what was counted, once. Does nothing when its window has ended. @throws STORE_UNAVAILABLE */
  giveBack(): Promise<void>
}

export interface Rates {
  /** Counts `points` for the name, unless there would be more than `limit` in this window. @throws STORE_UNAVAILABLE */
  take(name: string, points: number, limit: number): Promise<RateState>
}

/**
 * An entry of the feed about a task. A task's entries never go backwards in (claim, rev). Entries may be skipped, but
 * never the latest state of a task. `cursor` resumes after this entry, also after a restart.
 */
export type TaskChange =
  | { type: 'task'; cursor: string; task: TaskRecord }
  /** A cancel was requested for a held task. Its record follows when the holder acts. */
  | { type: 'revoke'; cursor: string; id: string; at: string }
  | ({ type: 'removed'; cursor: string; id: string } & RemovedTask)

/**
 * A document was written or removed. How it is now, only a read tells, which is never older than the entry: entries of
 * several writers may come in any order, or twice. After a power cut one may be missing.
 */
export interface DocumentChange {
  type: 'document'
  cursor: string
  collection: CollectionName
  name: string
}

export type Change = TaskChange | DocumentChange

export interface ChangedTasks {
  ids: string[]
  /** Those of them whose last entry is a removal; only where the entry says whose it was. */
  removed: ReadonlyMap<string, RemovedTask>
  /** Behind these changes. */
  cursor: string
}

/** The sweeper's current work. */
export interface Agenda {
  /** Tasks that a worker may claim now. */
  due: number
  /** Some of them, by priority, then age: at most the given limit. */
  dueIds: string[]
  /** PENDING and past `expiresAt`. */
  expired: string[]
  /** Running, but the holder is dead. */
  orphaned: string[]
  /** When the next waiting task becomes due or expires; null when none will. */
  nextAt: string | null
}

export interface RetentionRule {
  /** Ended tasks with an older `finishedAt` are removed. Null: no rule by age. */
  finishedBefore: string | null
  /** The same for tasks that ended in FAILURE. Null or left out: `finishedBefore` applies to them too. */
  failedBefore?: string | null
  /** How many ended tasks are kept, failed or not; the oldest ends go first. Null: no rule by count. */
  maxCount: number | null
  /** How many bytes of records and blobs of ended tasks are kept. Null: no rule by size. */
  maxBytes: number | null
}

export interface BlobInfo {
  name: string
  bytes: number
}

export interface TaskStore {
  /** This process's id in the store; the owner of its claims. */
  readonly instance: string

  /** What is no task, in the same place: it ends with the store, and its changes are in the same feed. */
  readonly documents: Documents

  /** The bytes of uploads; they end with the store. */
  readonly uploads: UploadBytes

  /** Who has changed what; it ends with the store. */
  readonly audit: AuditTrail

  /**
   * Creates a task: durable, and visible to every reader. If its owner has used its `idempotencyKey` before with the
   * same request fingerprint, returns the first task instead. `admit` runs before a task is created; its rejection is
   * passed on. @throws TASK_EXISTS, IDEMPOTENCY_MISMATCH, STORE_FULL
   */
  create(
    task: TaskRecord,
    fingerprint: string | null,
    admit?: () => Promise<void>,
  ): Promise<{ task: TaskRecord; created: boolean }>

  /**
   * The newest state, or null; never older than what any process was shown. Only an attempt that `claimNext` has just
   * begun may appear a moment later in other processes. @throws BAD_ID
   */
  get(id: string): Promise<TaskRecord | null>

  /**
   * A task whose time of the order changes between two pages may be in both of them, or in none. @throws BAD_CURSOR
   */
  list(filter: TaskFilter, page: PageRequest): Promise<TaskPage>

  /** @param owners counts only their tasks, as the filter of this name does; left out: all tasks */
  counts(owners?: readonly string[]): Promise<TaskCounts>

  /** How many tasks wait that were submitted with this key, or from this address (`submittedBy` of the record). */
  countWaiting(by: CountedSubmitter): Promise<number>

  /** What is counted by the minute, for all processes of the store. */
  readonly rates: Rates

  /**
   * Claims one task with the next claim number and applies the move, in one step. The claim is kept if the move ends
   * in a running status. Null: a live process holds the task. A move that throws changes nothing and releases the
   * claim. @throws TASK_NOT_FOUND, BAD_ID, what the move throws
   */
  claim(id: string, move: Move): Promise<TaskRecord | null>

  /**
   * As `claim`, for the due task with the highest priority, then the greatest age. Tasks that the move ends
   * (cancelled, expired) are ended on the way. Null: nothing is due, a callback of `want` said why not, or the store
   * is nearly full. Every task whose create had resolved anywhere was considered. If this process dies right after,
   * the attempt still counts. @throws what the move throws
   */
  claimNext(want: ClaimOptions, move: Move): Promise<TaskRecord | null>

  /**
   * Applies a move to a task that this process holds under this claim number. Releases the claim if the move ends in
   * a status that is not running. Moves on one task happen in the order of the calls.
   * @throws CLAIM_LOST when the number is not the current claim of this process; what the move throws
   */
  move(id: string, claim: number, move: Move): Promise<TaskRecord>

  /**
   * Requests a cancel. `revoked`: the task is REVOKED now. `requested`: a live process holds it; the request is
   * durable, shows as `revokeRequestedAt`, and the holder or the next claim acts on it. `ended`: it had ended before.
   * @throws TASK_NOT_FOUND
   */
  revoke(id: string, at: string): Promise<{ outcome: 'revoked' | 'requested' | 'ended'; task: TaskRecord }>

  /** Removes an ended task with its blobs. @throws TASK_NOT_FOUND, TASK_NOT_ENDED */
  remove(id: string): Promise<void>

  /**
   * Writes a blob beside a record, whole or not at all; replaces a blob with this name. Names match
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
  /** Does nothing if there is no such blob. @throws CLAIM_LOST, as putBlob */
  removeBlob(id: string, name: string): Promise<void>
  listBlobs(id: string): Promise<BlobInfo[]>

  /** The cursor of the feed's present end. */
  cursor(): Promise<string>
  /**
   * Changes after the cursor, until the signal fires. Resumable for at least the last 10,000 changes or an hour.
   * @throws CURSOR_TOO_OLD, BAD_CURSOR (from the first step of the iteration)
   */
  changes(since: string, signal: AbortSignal): AsyncIterable<Change>
  /**
   * The ids of the tasks that changed after the cursor, up to now, each once, and the cursor after them. Includes
   * tasks that were removed or whose cancel was requested, and no documents. @throws CURSOR_TOO_OLD, BAD_CURSOR
   */
  changedSince(cursor: string): Promise<ChangedTasks>

  /** Writes this process's presence, and updates it from then on with what `details` returns. */
  announce(presence: { role: string; details: () => PresenceDetails }): Promise<void>
  presences(): Promise<SeenPresence[]>
  /** Removes this process's presence; claims that it still holds are free at once. */
  leave(): Promise<void>

  /** With `kinds`, `due` and `dueIds` cover only these; the other fields always cover every kind. */
  agenda(now: string, limit: number, kinds?: readonly string[]): Promise<Agenda>
  /**
   * What comes before these tasks, and what the limits of kinds leave. It takes nothing and changes nothing. A task
   * that is just being taken may still count.
   */
  line(tasks: readonly LineFields[], query: LineQuery): Promise<Line>
  /** Applies the rule; returns how many tasks were removed. */
  retain(rule: RetentionRule): Promise<number>

  /** Totals of this process's store since it was opened, by name. */
  counters(): Record<string, number>

  /**
   * Proves that the store can be read and written. @throws STORE_UNAVAILABLE with the reason; STORE_FULL when it only
   * takes no new tasks
   */
  check(): Promise<void>
  /** Idempotent. Leaves, and releases every handle. */
  close(): Promise<void>
}
