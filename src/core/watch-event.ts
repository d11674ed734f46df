// What a follower of tasks is told. Types alone.
import type { TaskRecord } from './task.ts'

/** Why the present state comes first. */
export type SnapshotReason = 'asked' | 'too-old' | 'unknown'

export type WatchEvent =
  /**
   * A task as it is now. A null cursor: this is part of a snapshot or of missed changes, and not a place to resume.
   */
  | { type: 'task'; cursor: string | null; task: TaskRecord }
  | { type: 'removed'; cursor: string | null; id: string }
  /** Up to `live`, what follows is the present state of all tasks that fit. The changes in between are not known. */
  | { type: 'snapshot'; reason: SnapshotReason }
  /** From here on events come as they happen. */
  | { type: 'live'; cursor: string }
  /** A place to resume at, without an event. */
  | { type: 'place'; cursor: string }
