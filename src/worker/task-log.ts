// The task's own log as its attempt writes it: numbered on from the lines of earlier attempts, kept beside the record.
import { BLOBS } from '../core/content.ts'
import { findLog } from '../core/log-reader.ts'
import type { TaskStore } from '../core/store.ts'
import {
  createLogWindow,
  EMPTY_LOG,
  encodeLog,
  type KeptLog,
  LOG_LIMITS,
  type LogLevel,
  type LogLine,
  lineSize,
} from '../core/task-log.ts'
import { createThrottledWriter } from './throttled-writer.ts'

const EVERY_MS = 1_000

/** Whoever joins two logs keeps what one window would have kept. */
const windowOf = () => createLogWindow<LogLine>(LOG_LIMITS)
const addTo = (window: ReturnType<typeof windowOf>, line: LogLine): void =>
  window.add(line, lineSize(line.text))

export interface TaskLog {
  add(line: string, level?: LogLevel): void
  /** So many lines came here and are left out. */
  skip(count: number): void
  /** Writes what is still pending, earlier failures included. Never rejects. */
  flush(): Promise<void>
}

/** `earlier`: lines of earlier attempts exist and stay. Writes at most once a second; failures are only reported. */
export const createTaskLog = (deps: {
  store: TaskStore
  id: string
  /** As in the record's `attempts`. */
  attempt: number
  earlier: boolean
  clock: () => Date
  failed: (error: unknown) => void
}): TaskLog => {
  const { store, id, attempt, clock, failed } = deps
  /** Numbered from 1 until it is known how many came before. */
  const own = windowOf()
  let count = 0
  let before: KeptLog | null = deps.earlier ? null : EMPTY_LOG
  /** The lines of before stand in a blob of an earlier version. */
  let plain = false
  /** The last write failed. */
  let owed = false

  const readBefore = async (): Promise<KeptLog> => {
    const found = await findLog(store, id)
    plain = found?.name === BLOBS.plainLog
    return found?.log ?? EMPTY_LOG
  }
  const writer = createThrottledWriter<null>({
    everyMs: EVERY_MS,
    failed,
    async write() {
      owed = true
      before ??= await readBefore()
      const { last } = before
      const whole = windowOf()
      for (const line of before.lines) addTo(whole, line)
      for (const line of own.items()) addTo(whole, { ...line, n: last + line.n })
      await store.putBlob(id, BLOBS.log, Buffer.from(encodeLog({ last: last + count, lines: whole.items() })))
      if (plain) await store.removeBlob(id, BLOBS.plainLog)
      plain = false
      owed = false
    },
  })
  return {
    add(line, level = 'info') {
      count += 1
      addTo(own, { n: count, at: clock().toISOString(), attempt, level, text: line.replaceAll('\n', ' ') })
      writer.offer(null)
    },
    skip(lines) {
      count += lines
    },
    flush() {
      if (owed) writer.offer(null)
      return writer.flush()
    },
  }
}
