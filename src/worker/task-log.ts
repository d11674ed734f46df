// The task's own log: its last lines, kept beside the record for people.
import { buffer } from 'node:stream/consumers'
import { BLOBS } from '../core/content.ts'
import type { TaskStore } from '../core/store.ts'
import { createThrottledWriter } from './throttled-writer.ts'

const MAX_LINES = 1_000
const MAX_BYTES = 256 * 1024
const EVERY_MS = 1_000

/** The last lines within both limits. */
export const createRing = (limits = { lines: MAX_LINES, bytes: MAX_BYTES }) => {
  let lines: string[] = []
  let sizes: number[] = []
  let bytes = 0
  return {
    add(line: string): void {
      const size = Buffer.byteLength(line) + 1
      lines.push(line)
      sizes.push(size)
      bytes += size
      let first = 0
      while (lines.length - first > limits.lines || bytes > limits.bytes) bytes -= sizes[first++] ?? 0
      if (first === 0) return
      lines = lines.slice(first)
      sizes = sizes.slice(first)
    },
    text: (): string => lines.map(line => `${line}\n`).join(''),
  }
}

export interface TaskLog {
  add(line: string): void
  /** Writes what is still pending, earlier failures included. Never rejects. */
  flush(): Promise<void>
}

/** `earlier`: lines of earlier attempts exist and stay. Writes at most once a second; failures are only reported. */
export const createTaskLog = (deps: {
  store: TaskStore
  id: string
  earlier: boolean
  clock: () => Date
  failed: (error: unknown) => void
}): TaskLog => {
  const { store, id, clock, failed } = deps
  const ring = createRing()
  let before: string[] | null = deps.earlier ? null : []
  /** The last write failed. */
  let owed = false

  const readBefore = async (): Promise<string[]> => {
    const blob = await store.getBlob(id, BLOBS.log)
    if (!blob) return []
    return (await buffer(blob.stream)).toString().split('\n').slice(0, -1)
  }
  const writer = createThrottledWriter<null>({
    everyMs: EVERY_MS,
    failed,
    async write() {
      owed = true
      before ??= await readBefore()
      const whole = createRing()
      for (const line of before) whole.add(line)
      for (const line of ring.text().split('\n').slice(0, -1)) whole.add(line)
      await store.putBlob(id, BLOBS.log, Buffer.from(whole.text()))
      owed = false
    },
  })
  return {
    add(line) {
      ring.add(`${clock().toISOString()} ${line.replaceAll('\n', ' ')}`)
      writer.offer(null)
    },
    flush() {
      if (owed) writer.offer(null)
      return writer.flush()
    },
  }
}
