// The feed of this process: hands what its index reads in the journals to all subscribers, from their cursors on.
import { createWakeup } from '../../../core/async/wakeup.ts'
import { MadhavaError } from '../../../core/errors.ts'
import type { Change } from '../../../core/store.ts'
import { compareVersions } from '../../../core/task.ts'
import { decodeCursor, encodeCursor } from '../index/cursor.ts'
import type { TaskIndex } from '../index/task-index.ts'
import type { Journals, Positions } from './journal.ts'
import { type JournalEntry, taskIdOf } from './journal-files.ts'

/** A subscriber that is this far behind gets CURSOR_TOO_OLD. */
const BEHIND_MAX = 20_000

export interface JournalFeed {
  /** An entry that the view has just taken in; `positions`: behind it. */
  push(entry: JournalEntry, positions: Positions): void
  /** Entries that subscribers have not read yet are lost. */
  lose(): void
  /** @throws BAD_CURSOR, CURSOR_TOO_OLD */
  changes(since: string, signal: AbortSignal): AsyncIterable<Change>
  /** Ends every reading. */
  close(): void
}

interface FeedDeps {
  journals: Journals
  clock: () => Date
  /** Resolves when the view is there. */
  ready: () => Promise<void>
  /** Reads the journals to their end; the view's index and how far it has read. */
  catchUp: () => { index: Pick<TaskIndex, 'version'>; positions: Positions }
}

interface Subscriber {
  push(change: Change): void
  lose(): void
  wake(): void
}

/** `positions`: behind the entry. Most readers never ask for the cursor: it is made when they do. */
const toChange = (entry: JournalEntry, positions: Positions, now: Date): Change => {
  const behind = { ...positions }
  let text: string | null = null
  const cursor = (): string => {
    text ??= encodeCursor(behind, now)
    return text
  }
  const told =
    entry.type === 'removed'
      ? ({ type: 'removed', id: entry.id, owner: entry.owner, kind: entry.kind } as const)
      : entry
  return {
    ...told,
    get cursor() {
      return cursor()
    },
  }
}

export const createFeed = ({ journals, clock, ready, catchUp }: FeedDeps): JournalFeed => {
  const subscribers = new Set<Subscriber>()
  let closed = false

  return {
    push(entry, positions) {
      if (subscribers.size === 0) return
      const change = toChange(entry, positions, clock())
      for (const subscriber of subscribers) subscriber.push(change)
    },
    lose() {
      for (const subscriber of subscribers) subscriber.lose()
    },
    async *changes(since, signal) {
      const from = decodeCursor(since, clock())
      await ready()
      if (!journals.holds(from)) throw new MadhavaError('CURSOR_TOO_OLD')
      const pending: Change[] = []
      let behind = false
      const { wake, wait } = createWakeup()
      const subscriber: Subscriber = {
        push(change) {
          if (pending.length >= BEHIND_MAX) behind = true
          else pending.push(change)
          wake()
        },
        lose() {
          behind = true
          wake()
        },
        wake,
      }
      signal.addEventListener('abort', subscriber.wake)
      try {
        const { index, positions } = catchUp()
        // up to where the index is, in one go; from there on together with all other readers
        const replay = (entry: JournalEntry): void => {
          const id = taskIdOf(entry)
          const known = id === null ? null : index.version(id)
          if (entry.type === 'task' && (!known || compareVersions(entry.task, known) < 0)) return
          if (entry.type === 'removed' && known) return
          pending.push(toChange(entry, from, clock()))
        }
        journals.read(from, replay, positions)
        subscribers.add(subscriber)
        while (!signal.aborted && !closed) {
          const change = pending.shift()
          if (change) yield change
          else if (behind) throw new MadhavaError('CURSOR_TOO_OLD', 'The reader was too slow for the feed')
          else await wait()
        }
      } finally {
        subscribers.delete(subscriber)
        signal.removeEventListener('abort', subscriber.wake)
      }
    },
    close() {
      closed = true
      for (const subscriber of subscribers) subscriber.wake()
    },
  }
}
