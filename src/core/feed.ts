// Reads the store's change feed once per process for all its readers: long polls and live streams of tasks. Nothing is
// read while there are no readers. It knows neither filters nor APIs.
import { createWakeup, type Wakeup } from './async/wakeup.ts'
import { MadhavaError } from './errors.ts'
import type { TaskChange, TaskStore } from './store.ts'
import { turns } from './turns.ts'

export interface FeedLimits {
  /** How many changed tasks may wait for one reader. */
  pending: number
  /** How many characters of JSON may wait for one reader of all tasks. */
  pendingSize: number
  /** How long reading continues after the last reader has left, milliseconds: long polls come one after another. */
  lingerMs: number
}
export const FEED_LIMITS: FeedLimits = { pending: 1_000, pendingSize: 16 * 1024 ** 2, lingerMs: 5_000 }

/**
 * One reader's subscription. Slow readers: if a task changes again before the reader gets to it, only the last change
 * is kept, since each has the whole state. A reader with more than `pending` tasks or `pendingSize` characters
 * waiting is dropped.
 */
export interface Subscription {
  /** The feed's cursor when this reader joined. It gets every change after it. */
  readonly position: string
  /**
   * The next changes, oldest first, at most `max`; waits for at least one. Empty: the signal fired.
   * @throws CURSOR_TOO_OLD when the reader was too slow and was dropped; STORE_UNAVAILABLE when the feed broke off
   */
  take(max: number): Promise<TaskChange[]>
  /** Idempotent. */
  close(): void
}

export interface SharedFeed {
  /** Changes of one task, or of all of them (null), from now on. @throws STORE_UNAVAILABLE */
  subscribe(id: string | null, signal: AbortSignal): Promise<Subscription>
  /** How many readers there are now. */
  readers(): number
}

interface Reader {
  id: string | null
  pending: Map<string, { change: TaskChange; size: number }>
  /** Characters of all pending changes. */
  size: number
  wakeup: Wakeup
  failure: MadhavaError | null
}

/** One pass over the store's feed, from a cursor until it breaks off or no reader is left. */
interface FeedPass {
  /** Rejects if the pass could not begin. */
  begun: Promise<void>
  position: string
  ending: AbortController
}

const idOf = (change: TaskChange): string => (change.type === 'task' ? change.task.id : change.id)

const brokenOff = (cause: unknown): MadhavaError =>
  new MadhavaError('STORE_UNAVAILABLE', 'The feed of changes broke off', { cause })

export const createFeed = (
  store: Pick<TaskStore, 'cursor' | 'changes'>,
  limits: FeedLimits = FEED_LIMITS,
): SharedFeed => {
  const ofAll = new Set<Reader>()
  const ofTask = new Map<string, Set<Reader>>()
  let count = 0
  let run: FeedPass | null = null
  let linger: NodeJS.Timeout | undefined

  const add = (reader: Reader): void => {
    count += 1
    clearTimeout(linger)
    if (reader.id === null) ofAll.add(reader)
    else ofTask.set(reader.id, (ofTask.get(reader.id) ?? new Set()).add(reader))
  }
  const remove = (reader: Reader): void => {
    const among = reader.id === null ? ofAll : ofTask.get(reader.id)
    if (!among?.delete(reader)) return
    if (reader.id !== null && among.size === 0) ofTask.delete(reader.id)
    count -= 1
    if (count > 0) return
    linger = setTimeout(() => {
      run?.ending.abort()
      run = null
    }, limits.lingerMs).unref()
  }
  const fail = (reader: Reader, failure: MadhavaError): void => {
    reader.failure = failure
    reader.pending.clear()
    reader.size = 0
    remove(reader)
    reader.wakeup.wake()
  }
  const drop = (reader: Reader, id: string): void => {
    reader.size -= reader.pending.get(id)?.size ?? 0
    reader.pending.delete(id)
  }
  const push = (reader: Reader, id: string, change: TaskChange, size: number): void => {
    // moves to the end, to keep the order of cursors
    drop(reader, id)
    reader.pending.set(id, { change, size })
    reader.size += size
    // a single change may have any size
    if (reader.pending.size > limits.pending || (reader.size > limits.pendingSize && reader.pending.size > 1))
      fail(reader, new MadhavaError('CURSOR_TOO_OLD', 'The reader was too slow for the changes'))
    else reader.wakeup.wake()
  }
  /** The characters of the change, if they had to be counted. */
  const deliver = (change: TaskChange): number => {
    const id = idOf(change)
    // at most one change waits for each of these readers
    for (const reader of ofTask.get(id) ?? []) push(reader, id, change, 0)
    if (ofAll.size === 0) return 0
    const size = change.type === 'task' ? JSON.stringify(change.task).length : 0
    for (const reader of ofAll) push(reader, id, change, size)
    return size
  }

  const breakOff = (mine: FeedPass, cause: unknown): void => {
    if (mine.ending.signal.aborted) return
    run = null
    const failure = brokenOff(cause)
    for (const reader of [...ofAll, ...[...ofTask.values()].flatMap(set => [...set])]) fail(reader, failure)
  }
  const read = async (mine: FeedPass): Promise<void> => {
    try {
      for await (const change of store.changes(mine.position, mine.ending.signal)) {
        mine.position = change.cursor
        if (change.type === 'document') continue
        const pause = turns.spend(1, deliver(change))
        if (pause) await pause
      }
      breakOff(mine, new Error('the feed ended'))
    } catch (error) {
      breakOff(mine, error)
    }
  }
  const begin = (): FeedPass => {
    const begun = store.cursor().then(
      cursor => {
        mine.position = cursor
        void read(mine)
      },
      (error: unknown) => {
        breakOff(mine, error)
        throw brokenOff(error)
      },
    )
    const mine: FeedPass = { begun, position: '', ending: new AbortController() }
    return mine
  }

  return {
    async subscribe(id, signal) {
      const reader: Reader = { id, pending: new Map(), size: 0, wakeup: createWakeup(), failure: null }
      add(reader)
      run ??= begin()
      const mine = run
      try {
        await mine.begun
      } catch (error) {
        remove(reader)
        throw error
      }
      const { position } = mine
      const onAbort = (): void => reader.wakeup.wake()
      signal.addEventListener('abort', onAbort)
      return {
        position,
        async take(max) {
          for (;;) {
            if (reader.failure) throw reader.failure
            if (signal.aborted) return []
            const changes: TaskChange[] = []
            for (const [of, { change }] of reader.pending) {
              if (changes.length >= max) break
              drop(reader, of)
              changes.push(change)
            }
            if (changes.length > 0) return changes
            await reader.wakeup.wait()
          }
        },
        close() {
          signal.removeEventListener('abort', onAbort)
          remove(reader)
          reader.pending.clear()
        },
      }
    },
    readers: () => count,
  }
}
