// Reads a task's log from the store, and follows it: the blob is replaced as a whole, so its first bytes tell whether
// there is more.
import { text } from 'node:stream/consumers'
import type { Actor } from './actor.ts'
import { BLOBS, fromText, type StoredContent, TEXT } from './content.ts'
import { MadhavaError } from './errors.ts'
import type { SharedFeed } from './feed.ts'
import type { TaskStore } from './store.ts'
import { isFinal, isRunning, parseTaskId, type TaskRecord, versionOf } from './task.ts'
import type { TaskAccess } from './task-access.ts'
import {
  decodeLog,
  EMPTY_LOG,
  entriesAfter,
  isGap,
  type KeptLog,
  LOG_HEADER_BYTES,
  type LogEntry,
  lastOf,
  logText,
} from './task-log.ts'

/** The present one first. */
const NAMES = [BLOBS.log, BLOBS.plainLog] as const

type Blobs = Pick<TaskStore, 'getBlob'>

/** What is kept of a task's log, and in which blob: null if the task has written none. */
export const findLog = async (
  store: Blobs,
  id: string,
): Promise<{ name: (typeof NAMES)[number]; log: KeptLog } | null> => {
  for (const name of NAMES) {
    const blob = await store.getBlob(id, name)
    if (blob) return { name, log: decodeLog(await text(blob.stream)) }
  }
  return null
}

const readLog = async (store: Blobs, id: string): Promise<KeptLog> =>
  (await findLog(store, id))?.log ?? EMPTY_LOG

/** The log as text for people; empty if the task has written none. */
export const logContent = async (store: Blobs, id: string): Promise<StoredContent> =>
  fromText(TEXT, logText(await readLog(store, id)))

/** The number of its last line; null: it has to be read to know. */
const lastLine = async (store: Blobs, id: string): Promise<number | null> => {
  const blob = await store.getBlob(id, BLOBS.log, { start: 0, end: LOG_HEADER_BYTES })
  return blob ? lastOf(await text(blob.stream)) : null
}

export type LogEvent =
  | { type: 'entry'; cursor: string; entry: LogEntry }
  /** The task has ended: nothing more will come, unless it is retried by hand. */
  | { type: 'task'; cursor: string; task: TaskRecord }

/** So long followers share a look at a log's first bytes, milliseconds. */
const SHARED_MS = 100
/** How often the log of a running task is looked at, milliseconds: its worker writes it once a second. */
const LOOK_MS = 300
/** Entries handed on at a time. */
const BATCH = 200

const CURSOR = /^(\d{1,15})(?:-(.+))?$/

/** Where a follower was: after which line, and which end it was told; null: no cursor of ours. */
const parseCursor = (cursor: string): { after: number; told: string | null } | null => {
  const [found, after = '0', told = null] = CURSOR.exec(cursor) ?? []
  return found === undefined ? null : { after: Number(after), told }
}

const endCursor = (after: number, task: TaskRecord): string => `${after}-${versionOf(task)}`

export interface LogCalls {
  /** What is kept after line `after`, and the number of the last line. @throws BAD_ID, TASK_NOT_FOUND */
  logEntries(
    actor: Actor,
    id: string,
    after: number,
  ): Promise<{ entries: LogEntry[]; last: number; ended: boolean }>
  /** Whether the task has ended, and the follower with this cursor was told so. @throws BAD_ID, TASK_NOT_FOUND */
  isLogOver(actor: Actor, id: string, since: string | null): Promise<boolean>
  /**
   * The log's entries after the cursor, then those that come, up to the task's end. A follower that is slow, or away,
   * is told by marks what it missed. Ends when the signal fires. @throws BAD_ID, BAD_REQUEST (no such cursor),
   * TASK_NOT_FOUND (also if it is removed meanwhile), STORE_UNAVAILABLE
   */
  followLog(
    actor: Actor,
    id: string,
    since: string | null,
    signal: AbortSignal,
  ): AsyncGenerator<LogEvent[], void, void>
}

interface LogCallsDeps {
  store: Blobs
  access: TaskAccess
  feed: SharedFeed
}

/** Resolves after so many milliseconds, or when the promise settles or the signal fires, whichever is first. */
const sleepUnless = async (
  ms: number | null,
  change: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  let end = (): void => {}
  const waited = new Promise<void>(resolve => {
    end = () => resolve()
    if (ms !== null) timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
  try {
    await Promise.race([waited, change])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
  }
}

export const createLogCalls = ({ store, access, feed }: LogCallsDeps): LogCalls => {
  const placeOf = (since: string | null): { after: number; told: string | null } => {
    const place = parseCursor(since ?? '0')
    if (!place) throw new MadhavaError('BAD_REQUEST', 'This is no place in a log: give the id of an event')
    return place
  }

  const looks = new Map<string, Promise<number | null>>()
  const look = (id: string): Promise<number | null> => {
    const known = looks.get(id)
    if (known) return known
    const last = lastLine(store, id)
    looks.set(id, last)
    setTimeout(() => looks.delete(id), SHARED_MS).unref()
    return last
  }

  return {
    async logEntries(actor, given, after) {
      const task = await access.get(actor, given)
      const log = await readLog(store, task.id)
      return { entries: entriesAfter(log, after), last: log.last, ended: isFinal(task.status) }
    },

    async isLogOver(actor, given, since) {
      const task = await access.get(actor, given)
      return isFinal(task.status) && placeOf(since).told === versionOf(task)
    },

    async *followLog(actor, given, since, signal) {
      const id = parseTaskId(given)
      let { after } = placeOf(since)
      const reader = await feed.subscribe(id, signal)
      try {
        let change: Promise<unknown> | null = null
        let moved = false
        let task = await access.get(actor, id)
        while (!signal.aborted) {
          // the record was read first: what is written before the end is then in the log, whatever a shared look says
          const last = isFinal(task.status) ? null : await look(id)
          if (last === null || last > after) {
            const entries = entriesAfter(await readLog(store, id), after)
            for (let at = 0; at < entries.length; at += BATCH) {
              const events = entries.slice(at, at + BATCH).map(entry => {
                after = isGap(entry) ? entry.to : entry.n
                return { type: 'entry' as const, cursor: String(after), entry }
              })
              yield events
            }
          }
          if (isFinal(task.status)) {
            yield [{ type: 'task', cursor: endCursor(after, task), task }]
            return
          }
          change ??= reader.take(1).then(() => {
            moved = true
          })
          // it may fail before it is waited for
          change.catch(() => undefined)
          await sleepUnless(isRunning(task.status) ? LOOK_MS : null, change, signal)
          if (!moved) continue
          moved = false
          change = null
          task = await access.get(actor, id)
        }
      } finally {
        reader.close()
      }
    },
  }
}
