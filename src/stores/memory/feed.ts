// The memory store's feed: numbered entries, the last ones kept, any number of readers. Knows no records' meaning.
import { randomUUID } from 'node:crypto'
import { createWakeup, type Wakeup } from '../../core/async/wakeup.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Change, ChangedTasks, RemovedTask } from '../../core/store.ts'

/** At least so many of the last entries are kept; the port promises 10,000. */
const KEPT = 20_000

type WithoutCursor<T> = T extends unknown ? Omit<T, 'cursor'> : never

export interface MemoryFeed {
  add(change: WithoutCursor<Change>): void
  cursor(): string
  /** `open` throws when the reader's store is closed. @throws BAD_CURSOR, CURSOR_TOO_OLD from the first step */
  after(cursor: string, signal: AbortSignal, open: () => void): AsyncIterable<Change>
  /** The tasks that entries after the cursor name, and the end. @throws BAD_CURSOR, CURSOR_TOO_OLD */
  tasksAfter(cursor: string): ChangedTasks
}

export const createMemoryFeed = (): MemoryFeed => {
  // A cursor of another memory is refused, not misread.
  const name = randomUUID()
  let kept: WithoutCursor<Change>[] = []
  let first = 0
  const readers = new Set<Wakeup>()
  const end = () => first + kept.length
  const cursorAt = (position: number): string => `${name}.${position}`
  const parse = (cursor: string): number => {
    const [, digits] = /^[0-9a-f-]{36}\.(\d{1,15})$/.exec(cursor) ?? []
    const position = Number(digits)
    if (digits === undefined || !cursor.startsWith(name) || position > end())
      throw new MadhavaError('BAD_CURSOR')
    return position
  }

  return {
    add(change) {
      kept.push(change)
      if (kept.length >= 2 * KEPT) {
        kept = kept.slice(-KEPT)
        first += KEPT
      }
      for (const reader of readers) reader.wake()
    },
    cursor: () => cursorAt(end()),
    tasksAfter(cursor) {
      const position = parse(cursor)
      if (position < first) throw new MadhavaError('CURSOR_TOO_OLD')
      const ids = new Set<string>()
      const removed = new Map<string, RemovedTask>()
      for (const change of kept.slice(position - first)) {
        if (change.type === 'document') continue
        const id = change.type === 'task' ? change.task.id : change.id
        ids.add(id)
        removed.delete(id)
        if (change.type === 'removed' && change.owner !== undefined)
          removed.set(id, { owner: change.owner, kind: change.kind })
      }
      return { ids: [...ids], removed, cursor: cursorAt(end()) }
    },
    async *after(cursor, signal, open) {
      open()
      let position = parse(cursor)
      const wakeup = createWakeup()
      readers.add(wakeup)
      signal.addEventListener('abort', wakeup.wake)
      try {
        while (!signal.aborted) {
          if (position < first) throw new MadhavaError('CURSOR_TOO_OLD')
          const change = kept[position - first]
          if (change) {
            position += 1
            yield { ...structuredClone(change), cursor: cursorAt(position) } as Change
          } else await wakeup.wait()
        }
      } finally {
        readers.delete(wakeup)
        signal.removeEventListener('abort', wakeup.wake)
      }
    },
  }
}
