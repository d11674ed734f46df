// Waits for changes, for all APIs: a long poll, one task's events, and the events of all tasks. Changes are hints:
// each event carries the record. It knows no HTTP.
import type { Actor } from './actor.ts'
import type { SharedFeed, Subscription } from './feed.ts'
import type { TaskChange, TaskStore } from './store.ts'
import { isFinal, parseTaskId, type TaskRecord, versionOf } from './task.ts'
import { createTaskAccess, type TaskAccess } from './task-access.ts'
import { versionAfter } from './version-after.ts'
import { createWatchAll, type WatchAll } from './watch-all.ts'
import type { WatchEvent } from './watch-event.ts'

export type { WatchSink } from './watch-all.ts'
export type { SnapshotReason, WatchEvent } from './watch-event.ts'

export interface Watch extends WatchAll {
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
