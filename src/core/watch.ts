// Waits for changes, for all APIs: a long poll, one task's events, and the events of all tasks. Changes are hints:
// each event carries the record. It knows no HTTP.
import type { Actor } from './actor.ts'
import { MadhavaError, toMadhavaError } from './errors.ts'
import type { SharedFeed, Subscription } from './feed.ts'
import { fits } from './filter.ts'
import type { ChangedTasks, TaskChange, TaskFilter, TaskStore } from './store.ts'
import { compareVersions, isFinal, parseTaskId, type TaskRecord, versionOf } from './task.ts'
import { createTaskAccess, type TaskAccess } from './task-access.ts'
import { createToldRemovals } from './told-removals.ts'
import { turns } from './turns.ts'

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
}

/** How many events are passed on at a time, and how many tasks are read at a time. */
const BATCH = 100
/** How many whole records are read at a time for one stream: a slow reader holds as many in memory. */
const FEW_RECORDS = 10
/** Once so few missed changes are left, new ones are already collected for the reader while the rest is read. */
const FEW = 100
/** How long a list of changed ids is reused as a starting point, milliseconds. */
const REUSE_MS = 1_000
/** After so many changes that do not fit, a `place` is sent; the store keeps ten times as many. */
const SILENT_MAX = 1_000

/** Tells two versions of a record apart, and is small enough to keep for many tasks. */
type Version = Pick<TaskRecord, 'claim' | 'rev' | 'revokeRequestedAt'>
const versionIn = ({ claim, rev, revokeRequestedAt }: Version): Version => ({ claim, rev, revokeRequestedAt })
const versionAfter = (task: Version, last: Version): boolean => {
  const order = compareVersions(task, last)
  return order > 0 || (order === 0 && task.revokeRequestedAt !== null && last.revokeRequestedAt === null)
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

  /**
   * Recent lists of changed ids, by cursor: after a restart all clients come back at once, most with the same cursor.
   */
  const recentChanges = new Map<string, ReturnType<TaskStore['changedSince']>>()
  const lookSince = (cursor: string): ReturnType<TaskStore['changedSince']> => {
    const known = recentChanges.get(cursor)
    if (known) return known
    const look = store.changedSince(cursor)
    recentChanges.set(cursor, look)
    setTimeout(() => recentChanges.delete(cursor), REUSE_MS).unref()
    return look
  }
  /** The changes after the cursor, up to a moment ago, or why they are not known. */
  const missedSince = async (cursor: string): Promise<ChangedTasks | 'too-old' | 'unknown'> => {
    try {
      return await lookSince(cursor)
    } catch (error) {
      const { code } = toMadhavaError(error)
      if (code === 'CURSOR_TOO_OLD') return 'too-old'
      if (code === 'BAD_CURSOR') return 'unknown'
      throw error
    }
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

    async *watchAll(actor, wanted, { since, snapshot }, signal) {
      const filter = access.narrow(actor, wanted)
      const removals = createToldRemovals(actor, access.narrow(actor, {}))
      const eventOf = (task: TaskRecord, cursor: string | null): WatchEvent | null => {
        if (!fits(task, filter)) return null
        removals.told(task.id)
        return { type: 'task', cursor, task }
      }
      const eventOfRemoval = (
        id: string,
        owner: string | null | undefined,
        cursor: string | null,
      ): WatchEvent | null => (removals.mayTell(id, owner) ? { type: 'removed', cursor, id } : null)
      /** A cancel request of a task that is gone by now: its removal follows. */
      const eventOfChange = (change: TaskChange, task: TaskRecord | null): WatchEvent | null => {
        if (task) return eventOf(task, change.cursor)
        return change.type === 'removed' ? eventOfRemoval(change.id, change.owner, change.cursor) : null
      }
      const present = async function* (reason: SnapshotReason): AsyncGenerator<WatchEvent[], void, void> {
        yield [{ type: 'snapshot', reason }]
        let page: string | null = null
        do {
          const { tasks, next } = await store.list(filter, { limit: FEW_RECORDS, cursor: page })
          for (const { id } of tasks) removals.told(id)
          yield tasks.map(task => ({ type: 'task', cursor: null, task }))
          await turns.spend(tasks.length)
          page = next
        } while (page !== null && !signal.aborted)
      }
      /** The last version sent of each recently changed task; null: its removal was sent. */
      let told = new Map<string, Version | null>()
      const isTold = (id: string, task: TaskRecord | null): boolean => {
        const before = told.get(id)
        if (before === undefined) return false
        return task && before ? !versionAfter(task, before) : !task && !before
      }
      /** The tasks as they are now, if the reader does not have that version yet. */
      const states = async function* (
        ids: readonly string[],
        removed: ChangedTasks['removed'],
      ): AsyncGenerator<WatchEvent[], void, void> {
        for (let at = 0; at < ids.length && !signal.aborted; at += FEW_RECORDS) {
          const events: WatchEvent[] = []
          for (const id of ids.slice(at, at + FEW_RECORDS)) {
            const task = await store.get(id)
            await turns.spend(1)
            if (isTold(id, task)) continue
            const event = task ? eventOf(task, null) : eventOfRemoval(id, removed.get(id), null)
            // of a removal that is not told now the feed may still say whose it was
            if (task || event) told.set(id, task && versionIn(task))
            if (event) events.push(event)
          }
          yield events
        }
      }

      let from = since ?? (await store.cursor())
      let known = since !== null
      // the cursor is taken first, so that changes during the snapshot are sent after it
      if (since === null && snapshot) yield* present('asked')
      for (;;) {
        const missed = await missedSince(from)
        if (typeof missed === 'string') {
          // our own cursor, which grew too old while the snapshot was read
          if (!known) throw new MadhavaError('CURSOR_TOO_OLD', 'The reader was too slow for the changes')
          known = false
          from = await store.cursor()
          yield* present(missed)
        } else {
          told = new Map()
          yield* states(missed.ids, missed.removed)
          from = missed.cursor
          if (missed.ids.length <= FEW) break
          yield [{ type: 'place', cursor: from }]
        }
        if (signal.aborted) return
      }

      const reader = await feed.subscribe(null, signal)
      try {
        const missed = await store.changedSince(from)
        // the shared reading may lag behind what was sent here; its older changes are then skipped
        const late = await store.changedSince(reader.position)
        const removed = new Map([...missed.removed, ...late.removed])
        yield* states([...new Set([...missed.ids, ...late.ids])], removed)
        yield [{ type: 'live', cursor: missed.cursor }]
        let silent = 0
        for (;;) {
          const changes = await reader.take(BATCH)
          if (changes.length === 0) return
          const events: WatchEvent[] = []
          for (const change of changes) {
            const id = change.type === 'task' ? change.task.id : change.id
            const task = await stateAfter(change)
            await turns.spend(1)
            if (isTold(id, task)) continue
            told.delete(id)
            const event = eventOfChange(change, task)
            silent += 1
            if (!event) continue
            silent = 0
            events.push(event)
          }
          const last = changes.at(-1)
          if (silent >= SILENT_MAX && last) {
            silent = 0
            events.push({ type: 'place', cursor: last.cursor })
          }
          if (events.length > 0) yield events
        }
      } finally {
        reader.close()
      }
    },
  }
}
