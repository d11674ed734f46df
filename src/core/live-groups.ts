// Readers of the feed who want the same tasks share one reading of it: whether a change fits is decided once, and all
// are handed the same event. Each has a bounded place of its own, in which the later state of a task takes the place of
// the earlier one. It knows neither actors nor cursors that are sealed.
import { createWakeup, type Wakeup } from './async/wakeup.ts'
import { MadhavaError, toMadhavaError } from './errors.ts'
import { FEED_LIMITS, type FeedLimits, type SharedFeed } from './feed.ts'
import { fits } from './filter.ts'
import type { TaskChange, TaskFilter } from './store.ts'
import type { TaskRecord } from './task.ts'
import { turns } from './turns.ts'
import type { WatchEvent } from './watch-event.ts'

/** A change that fits, or a place without one. */
export interface LiveChange {
  /** Of the task; empty for a place. */
  readonly id: string
  readonly event: WatchEvent
  /** As the task is; null: it was removed, or this is a place. */
  readonly task: TaskRecord | null
  readonly change: TaskChange
}

/** Where changes go as they come. */
export interface LiveSink {
  take(change: LiveChange): void
  /** Whether it takes no more now. */
  isFull(): boolean
  /** Resolves when it may take more, or will never. */
  room(): Promise<void>
}

export interface LiveMember {
  /** The feed's cursor when this one joined, or before. It gets every change after it that fits. */
  readonly position: string
  /**
   * The next changes, oldest first, at most `max`; waits for at least one. Empty: the signal fired.
   * @throws CURSOR_TOO_OLD when too much waited for it; STORE_UNAVAILABLE when the feed broke off
   */
  take(max: number): Promise<LiveChange[]>
  /** Hands over what waits, and then everything as it comes, until the signal fires. @throws as `take` */
  flow(sink: LiveSink): Promise<void>
  /** Idempotent. */
  close(): void
}

export interface LiveGroups {
  /** The filter has what the reader may see. @throws STORE_UNAVAILABLE */
  join(filter: TaskFilter, signal: AbortSignal): Promise<LiveMember>
  /** How many readings there are. */
  count(): number
}

interface LiveGroupsDeps {
  feed: SharedFeed
  /** The state after a change; null: removed meanwhile. */
  stateAfter: (change: TaskChange) => Promise<TaskRecord | null>
  limits?: Pick<FeedLimits, 'pending' | 'pendingSize'>
}

/** How many changes are taken from the feed at a time. */
const BATCH = 100
/** After so many changes that do not fit, a `place` is sent; the store keeps ten times as many. */
const SILENT_MAX = 1_000

interface Member {
  pending: Map<string, { change: LiveChange; size: number }>
  /** Characters of all that waits. */
  size: number
  wakeup: Wakeup
  /** Where changes go at once; null: they wait. */
  sink: LiveSink | null
  failure: MadhavaError | null
}

interface Group {
  key: string
  filter: TaskFilter
  members: Set<Member>
  /** Behind the last change that every member has; null: the reading has not begun. */
  position: string | null
  begun: Promise<void>
  ending: AbortController
}

const keyOf = (filter: TaskFilter): string =>
  JSON.stringify(Object.entries(filter).sort(([one], [other]) => (one < other ? -1 : 1)))

const idOf = (change: TaskChange): string => (change.type === 'task' ? change.task.id : change.id)

/** Characters of the record, counted when somebody has to wait for it. */
const createSizes = (): ((change: LiveChange) => number) => {
  const sizes = new WeakMap<TaskRecord, number>()
  return ({ task }) => {
    if (!task) return 0
    const known = sizes.get(task)
    if (known !== undefined) return known
    const size = JSON.stringify(task).length
    sizes.set(task, size)
    return size
  }
}

export const createLiveGroups = ({ feed, stateAfter, limits = FEED_LIMITS }: LiveGroupsDeps): LiveGroups => {
  const groups = new Map<string, Group>()
  const sizeOf = createSizes()

  const drop = (member: Member, id: string): void => {
    const waiting = member.pending.get(id)
    if (!waiting) return
    member.size -= waiting.size
    member.pending.delete(id)
  }
  const leave = (group: Group, member: Member): void => {
    if (!group.members.delete(member) || group.members.size > 0) return
    if (groups.get(group.key) === group) groups.delete(group.key)
    group.ending.abort()
  }
  const fail = (group: Group, member: Member, failure: MadhavaError): void => {
    member.failure = failure
    member.pending.clear()
    member.size = 0
    leave(group, member)
    member.wakeup.wake()
  }
  const push = (group: Group, member: Member, change: LiveChange): void => {
    if (member.sink && member.pending.size === 0 && !member.sink.isFull()) {
      try {
        member.sink.take(change)
      } catch (error) {
        // of one reader; the others share nothing but the reading
        fail(group, member, toMadhavaError(error))
      }
      return
    }
    // moves to the end, to keep the order of cursors
    drop(member, change.id)
    const size = sizeOf(change)
    member.pending.set(change.id, { change, size })
    member.size += size
    // a single change may have any size
    if (member.pending.size > limits.pending || (member.size > limits.pendingSize && member.pending.size > 1))
      fail(group, member, new MadhavaError('CURSOR_TOO_OLD', 'The reader was too slow for the changes'))
    else member.wakeup.wake()
  }
  /** Who joins meanwhile is handed it too. */
  const pushToAll = async (group: Group, change: LiveChange): Promise<void> => {
    for (const member of group.members) {
      push(group, member, change)
      const pause = turns.spend(1)
      if (pause) await pause
    }
  }

  const read = async (group: Group, take: (max: number) => Promise<TaskChange[]>): Promise<void> => {
    let silent = 0
    for (;;) {
      const changes = await take(BATCH)
      if (changes.length === 0) return
      for (const change of changes) {
        const [id, { cursor }] = [idOf(change), change]
        const task = change.type === 'task' ? change.task : await stateAfter(change)
        const pause = turns.spend(1)
        if (pause) await pause
        if (task ? fits(task, group.filter) : change.type === 'removed') {
          silent = 0
          const event: WatchEvent = task ? { type: 'task', cursor, task } : { type: 'removed', cursor, id }
          await pushToAll(group, { id, event, task, change })
        } else {
          silent += 1
          // an earlier state that still waits is no longer how it is
          if (task) for (const member of group.members) if (member.pending.size > 0) drop(member, id)
        }
        if (silent >= SILENT_MAX) {
          silent = 0
          await pushToAll(group, { id: '', event: { type: 'place', cursor }, task: null, change })
        }
        group.position = cursor
      }
    }
  }

  const begin = (key: string, filter: TaskFilter): Group => {
    const ending = new AbortController()
    const breakOff = (error: unknown): void => {
      if (groups.get(key) === group) groups.delete(key)
      for (const member of [...group.members]) fail(group, member, toMadhavaError(error))
    }
    const begun = feed.subscribe(null, ending.signal).then(
      reader => {
        group.position = reader.position
        read(group, reader.take).catch(breakOff).finally(reader.close)
      },
      (error: unknown) => {
        breakOff(error)
        throw error
      },
    )
    const group: Group = { key, filter, members: new Set(), position: null, begun, ending }
    groups.set(key, group)
    return group
  }

  const flow = async (member: Member, sink: LiveSink, signal: AbortSignal): Promise<void> => {
    for (;;) {
      if (member.failure) throw member.failure
      if (signal.aborted) return
      const [first] = member.pending
      if (first && sink.isFull()) await sink.room()
      else if (first) {
        const [id, { change, size }] = first
        drop(member, id)
        sink.take(change)
        const pause = turns.spend(1, size)
        if (pause) await pause
      } else {
        member.sink = sink
        await member.wakeup.wait()
        member.sink = null
      }
    }
  }

  return {
    async join(filter, signal) {
      const key = keyOf(filter)
      const member: Member = {
        pending: new Map(),
        size: 0,
        wakeup: createWakeup(),
        sink: null,
        failure: null,
      }
      const group = groups.get(key) ?? begin(key, filter)
      group.members.add(member)
      const before = group.position
      await group.begun
      signal.addEventListener('abort', member.wakeup.wake)
      return {
        position: before ?? group.position ?? '',
        async take(max) {
          for (;;) {
            if (member.failure) throw member.failure
            if (signal.aborted) return []
            const changes: LiveChange[] = []
            for (const [id, { change }] of member.pending) {
              if (changes.length >= max) break
              drop(member, id)
              changes.push(change)
            }
            if (changes.length > 0) return changes
            await member.wakeup.wait()
          }
        },
        flow: sink => flow(member, sink, signal),
        close() {
          signal.removeEventListener('abort', member.wakeup.wake)
          member.sink = null
          leave(group, member)
          member.pending.clear()
        },
      }
    },
    count: () => groups.size,
  }
}
