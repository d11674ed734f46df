// Which tasks failed in the last day, in groups of one kind, code and pattern of message. Of each task it keeps its
// group and its end. It reads records once, and from then on only those of new failures and of known ones that have
// changed, so that it is right after a retry or a removal and costs little beside a hundred thousand tasks.
import { within } from '../../core/async/deadline.ts'
import { cutText } from '../../core/cut-text.ts'
import { errorPattern } from '../../core/error-pattern.ts'
import { toMadhavaError } from '../../core/errors.ts'
import { isFailed } from '../../core/status.ts'
import type { TaskStore } from '../../core/store.ts'
import type { TaskRecord } from '../../core/task.ts'
import { turns } from '../../core/turns.ts'

/** Tasks of one kind that failed alike. Times are ISO-8601. */
export interface FailureGroup {
  kind: string
  code: string
  /** An ellipsis stands for what differs. Null: messages of this kind and code beyond the first patterns. */
  pattern: string | null
  count: number
  firstAt: string
  lastAt: string
  /** The one that failed last: its id, and its message as it is, cut. */
  example: { id: string; message: string }
}

export interface Failures {
  /** The largest first. */
  groups: FailureGroup[]
  /** Groups that were left out, the smallest ones. */
  moreGroups: number
  /** Failed tasks, those of the left out groups too. */
  count: number
  /** The same by kind. */
  byKind: Record<string, number>
  /** False: not all failures are read, because there are too many or the reading goes on. */
  isWhole: boolean
}

export interface FailureBookOptions {
  store: Pick<TaskStore, 'list' | 'get' | 'cursor' | 'changedSince'>
  /** Milliseconds since 1970. */
  clock?: () => number
  limits?: Partial<FailureBookLimits>
}

export interface FailureBookLimits {
  /** How far back, milliseconds. */
  backMs: number
  /** Tasks that are kept: the newest. */
  tasks: number
  /** Patterns, over all kinds and codes. */
  patterns: number
  /** Groups of an answer. */
  shown: number
  /** How long an answer waits for what is being read, milliseconds. */
  waitMs: number
  /** How long what was read counts as current, milliseconds. */
  freshMs: number
}
const LIMITS: FailureBookLimits = {
  backMs: 24 * 60 * 60 * 1000,
  tasks: 100_000,
  patterns: 1_000,
  shown: 50,
  waitMs: 1_000,
  freshMs: 2_000,
}

const PAGE = 100
const MESSAGE_LENGTH = 500
/** The clocks of processes may differ by as much, and an end may be seen so late. */
const SLACK_MS = 5_000
/** A reading is followed by a pause so many times as long: with a flood of failures it takes no more of the process. */
const PAUSE = 4
/** How often all are read again while there are too many to keep. */
const FULL_MS = 600_000

type Key = Pick<FailureGroup, 'kind' | 'code' | 'pattern'>
interface Entry {
  key: Key
  endedAt: number
}
type Book = Map<string, Entry>

const sumByKind = (groups: ReadonlyMap<Key, { count: number }>): Record<string, number> => {
  const sums = new Map<string, number>()
  for (const [{ kind }, { count }] of groups) sums.set(kind, (sums.get(kind) ?? 0) + count)
  return Object.fromEntries(sums)
}

/** Answers at any time, with what is known. @throws STORE_UNAVAILABLE when nothing could be read */
export type FailureBook = () => Promise<Failures>

export const createFailureBook = ({
  store,
  clock = Date.now,
  limits = {},
}: FailureBookOptions): FailureBook => {
  const { backMs, tasks: tasksMax, patterns, shown, waitMs, freshMs } = { ...LIMITS, ...limits }
  const book: Book = new Map()
  const keys = new Map<string, Key>()
  /** Null: what is in the book is not known to be all. */
  let place: { cursor: string; at: number } | null = null
  let isFull = false
  let wholeAt = 0
  let underWay: Promise<void> | null = null
  let read = { at: Number.NEGATIVE_INFINITY, tookMs: 0 }

  const keyOf = ({ kind, error }: TaskRecord): Key => {
    const code = error?.code ?? ''
    const named = (pattern: string | null): Key => {
      const name = JSON.stringify([kind, code, pattern])
      const key = keys.get(name) ?? { kind, code, pattern }
      keys.set(name, key)
      return key
    }
    const pattern = errorPattern(error?.message ?? '')
    const isKnown = keys.has(JSON.stringify([kind, code, pattern]))
    return named(isKnown || keys.size < patterns ? pattern : null)
  }

  const put = (task: TaskRecord): void => {
    const endedAt = Date.parse(task.finishedAt ?? '')
    if (!isFailed(task.status) || Number.isNaN(endedAt)) book.delete(task.id)
    else if (book.size < tasksMax || book.has(task.id)) book.set(task.id, { key: keyOf(task), endedAt })
    else isFull = true
  }

  const readFailures = async (fromMs: number): Promise<void> => {
    const filter = { statuses: ['FAILURE' as const], finishedFrom: new Date(fromMs).toISOString() }
    let cursor: string | null = null
    do {
      const page = await store.list(filter, { limit: PAGE, cursor })
      for (const task of page.tasks) put(task)
      cursor = isFull ? null : page.next
    } while (cursor !== null)
  }

  /** Known failures that have changed: run again, or removed. */
  const readChanged = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) {
      if (!book.has(id)) continue
      const task = await store.get(id)
      if (task) put(task)
      else book.delete(id)
      await turns.spend(1)
    }
  }

  const forgetOld = (): void => {
    const from = clock() - backMs
    for (const [id, { endedAt }] of book) if (endedAt < from) book.delete(id)
    const used = new Set([...book.values()].map(({ key }) => key))
    for (const [name, key] of keys) if (!used.has(key)) keys.delete(name)
  }

  const readAll = async (): Promise<void> => {
    book.clear()
    keys.clear()
    isFull = false
    place = null
    // before the reading, so that what changes meanwhile is read again
    const cursor = await store.cursor()
    const at = clock()
    wholeAt = at
    await readFailures(at - backMs)
    place = { cursor, at }
  }

  const refresh = async (): Promise<void> => {
    // those that did not fit may fit by now
    if (!place || (isFull && clock() - wholeAt > FULL_MS)) return readAll()
    const { cursor, at } = place
    const changed = await store.changedSince(cursor).catch((error: unknown) => {
      if (['CURSOR_TOO_OLD', 'BAD_CURSOR'].includes(toMadhavaError(error).code)) return null
      throw error
    })
    if (!changed) return readAll()
    const now = clock()
    // where it fails in between, the same is read again
    await readChanged(changed.ids)
    await readFailures(Math.min(at, now) - SLACK_MS)
    place = { cursor: changed.cursor, at: now }
  }

  const refreshOnce = (): Promise<void> => {
    if (underWay) return underWay
    const begunAt = clock()
    underWay = refresh().finally(() => {
      underWay = null
      read = { at: clock(), tookMs: Math.max(0, clock() - begunAt) }
    })
    return underWay
  }

  /** Counts anew what is in the book, which is some milliseconds for a hundred thousand tasks. */
  const group = (): {
    groups: Map<Key, { count: number; first: number; last: number; id: string }>
    count: number
  } => {
    const groups = new Map<Key, { count: number; first: number; last: number; id: string }>()
    for (const [id, { key, endedAt }] of book) {
      const found = groups.get(key)
      if (!found) {
        groups.set(key, { count: 1, first: endedAt, last: endedAt, id })
        continue
      }
      found.count += 1
      if (endedAt < found.first) found.first = endedAt
      if (endedAt >= found.last) {
        found.last = endedAt
        found.id = id
      }
    }
    return { groups, count: book.size }
  }

  return async () => {
    if (underWay || Math.abs(clock() - read.at) >= Math.max(freshMs, PAUSE * read.tookMs)) {
      // a late one goes on, and a later question finds what it has read
      await within(waitMs, refreshOnce(), () => undefined)
    }
    forgetOld()
    const { groups, count } = group()
    const largest = [...groups].sort(([, a], [, b]) => b.count - a.count || b.last - a.last).slice(0, shown)
    const described = await Promise.all(
      largest.map(async ([key, { count: inGroup, first, last, id }]): Promise<FailureGroup> => {
        const task = await store.get(id).catch(() => null)
        return {
          ...key,
          count: inGroup,
          firstAt: new Date(first).toISOString(),
          lastAt: new Date(last).toISOString(),
          example: { id, message: cutText(task?.error?.message ?? key.pattern ?? '', MESSAGE_LENGTH) },
        }
      }),
    )
    return {
      groups: described,
      moreGroups: groups.size - largest.length,
      count,
      byKind: sumByKind(groups),
      isWhole: place !== null && !isFull,
    }
  }
}
