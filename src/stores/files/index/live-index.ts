// The index of this process: begins with a scan of the state files, then follows all journals.
// Watching the folder is a hint only; the journals are read now and then all the same.
import { randomInt } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { MadhavaError } from '../../../core/errors.ts'
import type { ChangedTasks } from '../../../core/store.ts'
import type { TaskRecord } from '../../../core/task.ts'
import { turns } from '../../../core/turns.ts'
import type { Log } from '../../../platform/log.ts'
import type { Layout } from '../layout.ts'
import { gatherChangedTasks } from '../log/changed-tasks.ts'
import type { Journals, Positions } from '../log/journal.ts'
import { createFeed, type JournalFeed } from '../log/journal-feed.ts'
import type { JournalEntry } from '../log/journal-files.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type ScanCache, SHARD_COUNT } from './scan-cache.ts'
import { createTaskIndex, type TaskIndex } from './task-index.ts'

const LOOK_MS = 2_000
/** Where the folder cannot be watched. */
const BLIND_LOOK_MS = 250
/** Only journals that are minutes old are cut, so a reader that polls every few seconds loses nothing. */
const SLEPT_MS = 10_000

export interface LiveIndex {
  /** The index, with everything taken in that any process had acknowledged before the call. */
  current(): Promise<TaskIndex>
  /** What the index knows of a task, without looking into the journals; null before it is there. */
  known(id: string): ReturnType<TaskIndex['version']>
  /** Puts a change of this process into its own index at once, and into the journal with the next `flush`. */
  publish(entry: JournalEntry): void
  /** As `publish`, for this process's own index alone. */
  note(task: TaskRecord): void
  /** Writes what was published into the journal, for all processes. Never throws. */
  flush(): void
  cursor(): string
  changes: JournalFeed['changes']
  /** From the journals alone: no index is needed. @throws BAD_CURSOR, CURSOR_TOO_OLD */
  changedSince(cursor: string): Promise<ChangedTasks>
  close(): void
}

interface LiveIndexDeps {
  layout: Pick<Layout, 'journal'>
  scanCache: ScanCache
  journals: Journals
  clock: () => Date
  log: Log
}

/** The numbers below `count` in an order that chance makes (Fisher and Yates). */
const shuffled = (count: number): number[] => {
  const numbers = Array.from({ length: count }, (_, number) => number)
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1)
    const kept = numbers[other] as number
    numbers[other] = numbers[last] as number
    numbers[last] = kept
  }
  return numbers
}

export const createLiveIndex = ({ layout, scanCache, journals, clock, log }: LiveIndexDeps): LiveIndex => {
  let index = createTaskIndex()
  let positions: Positions = {}
  let loading: Promise<void> | null = null
  let loaded = false
  let watcher: FSWatcher | null = null
  let timer: NodeJS.Timeout | null = null
  let due = false
  let closed = false
  let lookedAt = performance.now()
  let justRead = false

  /** False when the entry is older than what is known: subscribers never go back. */
  const take = (entry: JournalEntry): boolean => {
    if (entry.type === 'task') return index.put(entry.task)
    if (entry.type === 'removed') return index.remove(entry.id, entry.claim)
    return true
  }

  const feed = createFeed({
    journals,
    clock,
    ready: () => ready(),
    catchUp() {
      readOn()
      return { index, positions }
    },
  })

  const readOn = (): void => {
    journals.follow(positions, entry => {
      if (take(entry)) feed.push(entry, positions)
    })
  }

  const safely = (): void => {
    due = false
    if (closed || !loaded) return
    try {
      tell()
      readOn()
    } catch (error) {
      log.error({ error }, 'the journals cannot be read or written; trying again')
    }
  }

  /** During a long sleep of this process, journals may have been cut unread. Then everything is read again. */
  const look = (): void => {
    const now = performance.now()
    const late = now - lookedAt > SLEPT_MS
    lookedAt = now
    safely()
    if (!late || closed || !loaded || journals.holds(positions)) return
    log.warn('the journals were cut before they were read; scanning the state files again')
    feed.lose()
    loaded = false
    index = createTaskIndex()
    loading = null
    ready().catch((error: unknown) => log.error({ error }, 'the state files could not be scanned'))
  }

  const load = async (): Promise<void> => {
    // the position in the journals first: changes during the scan are read again from there
    positions = journals.begin()
    await index.load(async () => {
      // processes that start together go through the folders in different orders: two are hardly ever at the same
      // folder, and each can use the snapshots that another has just written
      for (const shard of shuffled(SHARD_COUNT)) {
        if (closed) return
        for (const task of scanCache.read(shard)) index.put(task)
        await yieldToOthers()
      }
    })
    if (closed) return
    loaded = true
    readOn()
    if (timer) return
    const onHint = (): void => {
      if (due) return
      due = true
      setImmediate(safely)
    }
    const lookEvery = (ms: number): void => {
      if (timer) clearInterval(timer)
      if (!closed) timer = setInterval(look, ms).unref()
    }
    const cannotWatch = (error: unknown): void => {
      log.warn({ error }, 'the journals cannot be watched; looking four times a second')
      lookEvery(BLIND_LOOK_MS)
    }
    lookEvery(LOOK_MS)
    try {
      watcher = watch(layout.journal, { persistent: false }, onHint)
      watcher.on('error', cannotWatch)
    } catch (error) {
      cannotWatch(error)
    }
  }

  const ready = async (): Promise<void> => {
    if (closed) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
    loading ??= load()
    try {
      await loading
    } catch (error) {
      loading = null
      throw error
    }
  }

  /** Entries not in the journal yet. On a full disk it may refuse them; they are tried again until it takes them. */
  let untold: JournalEntry[] = []
  const tell = (): void => {
    if (untold.length === 0) return
    journals.append(untold)
    untold = []
  }

  const publish: LiveIndex['publish'] = entry => {
    untold.push(entry)
    // subscribers in this process get it from the journal like all others, in the journal's order
    if (loaded) take(entry)
  }

  const flush = (): void => {
    try {
      tell()
    } catch (error) {
      // the change is made; that others see it later is no reason to refuse it
      log.error({ error, untold: untold.length }, 'the journal cannot be written; trying again')
    }
  }

  return {
    async current() {
      if (!loaded || closed) await ready()
      // several calls in one turn need one read: nothing can have been acknowledged to this process in between
      if (!justRead) {
        readOn()
        justRead = true
        queueMicrotask(() => {
          justRead = false
        })
      }
      return index
    },
    known: id => (loaded ? index.version(id) : null),
    publish,
    note(task) {
      if (loaded) index.put(task)
    },
    flush,
    cursor: () => encodeCursor(journals.end(), clock()),
    changes: feed.changes,
    async changedSince(cursor) {
      const positions = decodeCursor(cursor, clock())
      flush()
      const until = journals.end()
      const changed = gatherChangedTasks()
      let pause: Promise<void> | undefined
      const take = (entry: JournalEntry, bytes: number): 'stop' | null => {
        changed.take(entry)
        pause = turns.spend(1, bytes)
        return pause ? 'stop' : null
      }
      do {
        await pause
        // what was cut during a pause is missing as well
        if (!journals.holds(positions)) throw new MadhavaError('CURSOR_TOO_OLD')
      } while (journals.readSome(positions, take, until))
      return { ...changed.found(), cursor: encodeCursor(positions, clock()) }
    },
    close() {
      closed = true
      watcher?.close()
      if (timer) clearInterval(timer)
      feed.close()
    },
  }
}
