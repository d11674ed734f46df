// Waits for changes, for all APIs: a long poll, one task's events, and the events of all tasks. Changes are hints:
// each event carries the record. It knows no HTTP.
import type { Actor } from './actor.ts'
import type { SharedFeed, Subscription } from './feed.ts'
import type { TaskChange, TaskFilter, TaskStore } from './store.ts'
import { isFinal, parseTaskId, type TaskRecord, versionOf } from './task.ts'
import { createTaskAccess, type TaskAccess } from './task-access.ts'
import { versionAfter } from './version-after.ts'
import { createWatchAll } from './watch-all.ts'

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

export interface Watch {
  /**
   * A long poll: the task as soon as its version differs from `known` (a `versionOf`), or as it is after `timeoutMs`,
   * or when the signal fires. `changed` says which. @throws BAD_ID, TASK_NOT_FOUND (also if it is removed meanwhile),
   * STORE_UNAVAILABLE
   */
  wait(
    actor: Actor,
    id: string,
    known: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<{ task: TaskRecord; changed: boolean }>
  /**
   * One task's events: the task, unless its version is `since`, then every change; a slow reader gets only the last
   * of several. The cursor is the version, so it is never too old. Ends after a final status, after `removed`, and
   * when the signal fires. @throws BAD_ID, TASK_NOT_FOUND at the first step; STORE_UNAVAILABLE
   */
  watchTask(
    actor: Actor,
    id: string,
    since: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent[], void, void>
  /**
   * Events of all tasks that fit, and of removed ones, after `since` (null: from now on), without end. A removal is
   * told to those who may see the task, where the store still knows whose it was, or who were told of it here. Missed changes
   * are sent as the present state of the changed tasks. If the cursor is too old or unknown, or the reader asks for
   * it, a snapshot comes first. @throws CURSOR_TOO_OLD when the reader is too slow (see Subscription);
   * STORE_UNAVAILABLE
   */
  watchAll(
    actor: Actor,
    filter: TaskFilter,
    from: { since: string | null; snapshot: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent[], void, void>
  /**
   * The same events, handed over one by one without a promise for each: many followers who want the same tasks are
   * handed the same objects. Resolves when the signal has fired. @throws as `watchAll`
   */
  followAll(
    actor: Actor,
    filter: TaskFilter,
    from: { since: string | null; snapshot: boolean },
    sink: WatchSink,
    signal: AbortSignal,
  ): Promise<void>
}

/** Where a follower's events go. */
export interface WatchSink {
  tell(event: WatchEvent): void
  /** Whether it takes no more now: then the later state of a task takes the place of the earlier one. */
  isFull(): boolean
  /** Resolves when it may take more, or will never. */
  room(): Promise<void>
}

interface WatchDeps {
  store: TaskStore
  feed: SharedFeed
  /** Left out: every actor sees every task. */
  access?: TaskAccess
}

export const createWatch = ({ store, feed, access = createTaskAccess(store) }: WatchDeps): Watch => {
  /** The state after a change; null: removed meanwhile. */
  const stateAfter = async (change: TaskChange): Promise<TaskRecord | null> => {
    if (change.type === 'task') return change.task
    return change.type === 'removed' ? null : store.get(change.id)
  }

  return {
    async wait(actor, given, known, timeoutMs, signal) {
      const id = parseTaskId(given)
      const before = await access.get(actor, id)
      if (versionOf(before) !== known) return { task: before, changed: true }
      const ending = new AbortController()
      const end = (): void => ending.abort()
      if (timeoutMs <= 0 || signal?.aborted) return { task: before, changed: false }
      const timer = setTimeout(end, timeoutMs)
      signal?.addEventListener('abort', end)
      let reader: Subscription | null = null
      try {
        reader = await feed.subscribe(id, ending.signal)
        for (;;) {
          const task = await access.get(actor, id)
          if (versionOf(task) !== known) return { task, changed: true }
          if ((await reader.take(1)).length === 0) return { task, changed: false }
        }
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', end)
        reader?.close()
      }
    },

    async *watchTask(actor, given, since, signal) {
      const id = parseTaskId(given)
      let last = await access.get(actor, id)
      const reader = await feed.subscribe(id, signal)
      try {
        last = await access.get(actor, id)
        if (versionOf(last) !== since) yield [{ type: 'task', cursor: versionOf(last), task: last }]
        while (!isFinal(last.status)) {
          const [change] = await reader.take(1)
          if (!change) return
          const task = await stateAfter(change)
          if (!task) {
            yield [{ type: 'removed', cursor: null, id }]
            return
          }
          // the feed may lag behind what was read
          if (!versionAfter(task, last)) continue
          last = task
          yield [{ type: 'task', cursor: versionOf(task), task }]
        }
      } finally {
        reader.close()
      }
    },

    ...createWatchAll({ store, feed, access, stateAfter }),
  }
}
