// The events of all tasks that fit a filter: what a follower has missed, or the present state, and then the changes as
// they come (core/live-groups.ts). It knows no HTTP.
import type { Actor } from './actor.ts'
import { MadhavaError, toMadhavaError } from './errors.ts'
import type { SharedFeed } from './feed.ts'
import { fits } from './filter.ts'
import { createLiveGroups, type LiveChange, type LiveMember } from './live-groups.ts'
import type { ChangedTasks, TaskChange, TaskFilter, TaskStore } from './store.ts'
import type { TaskRecord } from './task.ts'
import type { TaskAccess } from './task-access.ts'
import { createToldRemovals } from './told-removals.ts'
import { turns } from './turns.ts'
import { type Version, versionAfter, versionIn } from './version-after.ts'
import type { SnapshotReason, WatchEvent } from './watch-event.ts'

/** Where a follower's events go. */
export interface WatchSink {
  tell(event: WatchEvent): void
  /** Whether it takes no more now: then the later state of a task takes the place of the earlier one. */
  isFull(): boolean
  /** Resolves when it may take more, or will never. */
  room(): Promise<void>
}

export interface WatchAll {
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

/** How many events are passed on at a time. */
const BATCH = 100
/** How many whole records are read at a time for one stream: a slow reader holds as many in memory. */
const FEW_RECORDS = 10
/** Once so few missed changes are left, new ones are already collected for the reader while the rest is read. */
const FEW = 100
/** How long a list of changed ids is reused as a starting point, milliseconds. */
const REUSE_MS = 1_000

interface WatchAllDeps {
  store: TaskStore
  feed: SharedFeed
  access: TaskAccess
  stateAfter: (change: TaskChange) => Promise<TaskRecord | null>
}

export const createWatchAll = ({ store, feed, access, stateAfter }: WatchAllDeps): WatchAll => {
  const groups = createLiveGroups({ feed, stateAfter })

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

  type Wanted = Parameters<WatchAll['watchAll']>

  /** One follower: what comes before the live events, and which of those are still to be told. */
  const createFollower = (actor: Wanted[0], wanted: Wanted[1], signal: AbortSignal) => {
    const filter = access.narrow(actor, wanted)
    const removals = createToldRemovals(actor, access.narrow(actor, {}))
    const eventOf = (task: TaskRecord): WatchEvent | null => {
      if (!fits(task, filter)) return null
      removals.told(task.id)
      return { type: 'task', cursor: null, task }
    }
    const eventOfRemoval = (id: string, removed: ChangedTasks['removed']): WatchEvent | null =>
      removals.mayTell(id, removed.get(id)) ? { type: 'removed', cursor: null, id } : null

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
          const event = task ? eventOf(task) : eventOfRemoval(id, removed)
          // of a removal that is not told now the feed may still say whose it was
          if (task || event) told.set(id, task && versionIn(task))
          if (event) events.push(event)
        }
        yield events
      }
    }

    /** What comes first, up to `live`; returns who is told from then on, or null when the signal has fired. */
    const catchUp = async function* ({
      since,
      snapshot,
    }: Wanted[2]): AsyncGenerator<WatchEvent[], LiveMember | null, void> {
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
        if (signal.aborted) return null
      }
      const member = await groups.join(filter, signal)
      let isLive = false
      try {
        const missed = await store.changedSince(from)
        // the shared reading may lag behind what was sent here; its older changes are then skipped
        const late = await store.changedSince(member.position)
        const removed = new Map([...missed.removed, ...late.removed])
        yield* states([...new Set([...missed.ids, ...late.ids])], removed)
        yield [{ type: 'live', cursor: missed.cursor }]
        isLive = true
        return member
      } finally {
        if (!isLive) member.close()
      }
    }

    /** The event of a live change; null: it is told already, or not to be told. */
    const accept = ({ id, task, event, change }: LiveChange): WatchEvent | null => {
      if (event.type === 'place') return event
      if (told.size > 0) {
        if (isTold(id, task)) return null
        told.delete(id)
      }
      if (task) removals.told(id)
      else if (!removals.mayTell(id, change.type === 'removed' ? change : undefined)) return null
      return event
    }

    return { catchUp, accept }
  }

  return {
    async *watchAll(actor, wanted, from, signal) {
      const { catchUp, accept } = createFollower(actor, wanted, signal)
      const member = yield* catchUp(from)
      if (!member) return
      try {
        for (;;) {
          const changes = await member.take(BATCH)
          if (changes.length === 0) return
          const events: WatchEvent[] = []
          for (const change of changes) {
            await turns.spend(1)
            const event = accept(change)
            if (event) events.push(event)
          }
          if (events.length > 0) yield events
        }
      } finally {
        member.close()
      }
    },

    async followAll(actor, wanted, from, sink, signal) {
      const { catchUp, accept } = createFollower(actor, wanted, signal)
      const first = catchUp(from)
      let member: LiveMember | null = null
      try {
        for (;;) {
          const step = await first.next()
          if (step.done) {
            member = step.value
            break
          }
          for (const event of step.value) sink.tell(event)
          if (sink.isFull()) await sink.room()
        }
      } catch (error) {
        // what it has joined it leaves
        await first.return(null)
        throw error
      }
      if (!member) return
      try {
        await member.flow({
          take(change) {
            const event = accept(change)
            if (event) sink.tell(event)
          },
          isFull: sink.isFull,
          room: sink.room,
        })
      } finally {
        member.close()
      }
    },
  }
}
