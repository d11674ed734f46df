// What this process knows of every task, in memory: enough to list, count, and pick the next one.
// Others feed it from the state files and the journals; it never reads a file itself.
import { dueOf } from '../../../core/due.ts'
import type { TaskFilter } from '../../../core/filter.ts'
import { submitterFilter } from '../../../core/quotas.ts'
import { SORTS, type Sort, type SortKey } from '../../../core/sort.ts'
import { statusesIn } from '../../../core/status.ts'
import type { CountedSubmitter, TaskCounts } from '../../../core/store.ts'
import type { Summary } from '../../../core/summary.ts'
import { compareVersions, isFinal, isRunning, isSuspect, STATUSES, type Status } from '../../../core/task.ts'
import { LOST } from '../log/journal-files.ts'
import { createColumns, GONE } from './columns.ts'
import { createRowCounts, type RowCounts } from './row-counts.ts'
import { compileFilter } from './row-filter.ts'
import { createWaitingList, type WaitingList } from './waiting-tasks.ts'
import { type SortKeyWalk, walkByAge, walkByEnd } from './walks.ts'

export interface TaskIndex {
  /** Those that wait for a worker. Made when it is first asked for: only workers need it. */
  waiting(): WaitingList
  /** The version that is known of a task. */
  version(id: string): { claim: number; rev: number; status: Status } | null
  /** Takes in a task unless a newer version is known; false when it was older. */
  put(task: Summary): boolean
  /** For the first scan: what `fill` puts may come in any order, and is sorted once. */
  load(fill: () => Promise<void>): Promise<void>
  /** `claim`: the number under which it was removed, or LOST; records of older claims do not bring it back. */
  remove(id: string, claim: number): boolean
  /** @param owners as in the port: left out, all tasks, and then it costs nothing */
  counts(owners?: readonly string[]): TaskCounts
  countWaiting(by: CountedSubmitter): number
  /**
   * The sort keys of the tasks that may fit, in this order, after that of a cursor. Text is searched in title and
   * description together, and not in errors, so the caller must check the record. To be used without awaiting; a caller
   * that pauses asks again after the last key. So that it can, a key with `fits: false` comes after every `STRETCH` rows
   * in a row that do not fit.
   */
  walk(filter: TaskFilter, sort: Sort, after: SortKey | null): SortKeyWalk
  running(): { id: string; claim: number }[]
  /** All that have ended, as they are now. */
  ended(): Ended
  /** Those that have ended, of the ids whose last two hex digits are one of these numbers. */
  endedIn(scanCache: ReadonlySet<number>): { id: string; claim: number; owner: string | null; kind: string }[]
  expired(now: string): { id: string; kind: string; from: string | null }[]
  nextExpiry(now: string): string | null
}

/** Ended tasks, the one that ended last first. To be used without awaiting. */
export interface Ended {
  readonly length: number
  id(place: number): string
  /** ISO-8601. */
  finishedAt(place: number): string
  status(place: number): Status
}

/** How many removed ids are remembered, in case of late journal entries. */
const REMOVED_KEPT = 10_000
/** Rows of removed tasks are dropped when there are so many, and this share of all. */
const GONE_KEPT = 1_000
const GONE_SHARE = 0.25

/** By the number of the status. */
const FINAL = STATUSES.map(isFinal)

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNull = (ms: number | undefined): string | null =>
  ms === undefined || Number.isNaN(ms) ? null : iso(ms)

export const createTaskIndex = (): TaskIndex => {
  let table = createColumns()
  const removed = new Map<string, number>()
  /** Rows, oldest task first. Those of removed ones stay until there are many. */
  let order = new Uint32Array(256)
  let length = 0
  let gone = 0
  let loading = false
  /** By id: how many there are at a time is bounded by what workers run. */
  const running = new Map<string, number>()
  const expiring = new Map<string, { kind: string; from: string | null; till: string }>()
  let waiting: WaitingList | null = null
  /** Of all tasks. */
  let counted = createRowCounts(table)
  /** A look at every row: some milliseconds for a hundred thousand. */
  const eachThatFits = (filter: TaskFilter, each: (row: number) => void): void => {
    const test = compileFilter(table, filter)
    const { status } = table.at
    if (test) for (let row = 0; row < table.rows; row += 1) if (status[row] !== GONE && test(row)) each(row)
  }
  const countOf = (owners: readonly string[]): RowCounts => {
    const found = createRowCounts(table)
    eachThatFits({ owners }, row => found.add(row, 1))
    return found
  }

  /** The first place in `order` that does not stand before the key. */
  const find = (key: SortKey): number => {
    let low = 0
    let high = length
    while (low < high) {
      const middle = (low + high) >> 1
      if (table.compareTo(order[middle] as number, key, 'createdAt') < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  const enter = (row: number, { createdAt, id }: { createdAt: string; id: string }): void => {
    if (length === order.length) {
      const larger = new Uint32Array(length * 2)
      larger.set(order)
      order = larger
    }
    const isLast = length === 0 || table.compare(order[length - 1] as number, row, 'createdAt') < 0
    const place = loading || isLast ? length : find({ at: createdAt, id })
    if (place < length) order.copyWithin(place + 1, place, length)
    order[place] = row
    length += 1
  }

  const sort = (): void => {
    order.subarray(0, length).sort((a, b) => table.compare(a, b, 'createdAt'))
  }

  /** Makes a new table without the rows of removed tasks. Readers of the old one are not disturbed. */
  const tidy = (): void => {
    if (gone <= GONE_KEPT || gone < length * GONE_SHARE) return
    const old = table
    const fresh = createColumns()
    const rows = new Uint32Array(order.length)
    let kept = 0
    for (let place = 0; place < length; place += 1) {
      const row = order[place] as number
      if (old.at.status[row] === GONE) continue
      rows[kept] = fresh.copy(old, row)
      kept += 1
    }
    table = fresh
    order = rows
    length = kept
    gone = 0
    counted = createRowCounts(table)
    for (let place = 0; place < length; place += 1) counted.add(order[place] as number, 1)
  }

  const makeWaiting = (): WaitingList => {
    const list = createWaitingList()
    const { at, words } = table
    for (let place = 0; place < length; place += 1) {
      const row = order[place] as number
      if (at.status[row] === GONE || at.waits[row] === 0) continue
      list.add({
        id: table.id(row),
        kind: words.kind.word(at.kind[row] as number) ?? '',
        priority: at.priority[row] as number,
        suspect: at.suspect[row] === 1,
        createdAt: iso(at.createdAt[row] as number),
        from: isoOrNull(table.from.get(row)),
        till: isoOrNull(table.till.get(row)),
      })
    }
    return list
  }

  const forget = (row: number, id: string): void => {
    counted.add(row, -1)
    waiting?.remove(id)
    running.delete(id)
    expiring.delete(id)
  }

  const put = (task: Summary): boolean => {
    const known = table.find(task.id)
    if (known >= 0) {
      const version = { claim: table.claim.get(known), rev: table.rev.get(known) }
      const order = compareVersions(task, version)
      if (order <= 0) return order === 0
      forget(known, task.id)
    } else if (task.claim <= (removed.get(task.id) ?? -1)) return false
    const due = dueOf(task)
    const row = table.put(task, due)
    if (known < 0) enter(row, task)
    counted.add(row, 1)
    const { id, kind, priority, createdAt } = task
    if (isRunning(task.status)) running.set(id, task.claim)
    if (!due) return true
    waiting?.add({ id, kind, priority, suspect: isSuspect(task), createdAt, ...due })
    if (due.till !== null) expiring.set(id, { kind, from: due.from, till: due.till })
    return true
  }

  return {
    waiting() {
      waiting ??= makeWaiting()
      return waiting
    },
    version(id) {
      const row = table.find(id)
      if (row < 0) return null
      return {
        claim: table.claim.get(row),
        rev: table.rev.get(row),
        status: STATUSES[table.at.status[row] as number] as Status,
      }
    },
    put,
    remove(id, claim) {
      const known = table.find(id)
      if (claim !== LOST) {
        if (known >= 0 && table.claim.get(known) > claim) return false
        removed.delete(id)
        removed.set(id, claim)
        const oldest = removed.keys().next().value
        if (removed.size > REMOVED_KEPT && oldest !== undefined) removed.delete(oldest)
      }
      if (known < 0) return true
      forget(known, id)
      table.remove(known)
      gone += 1
      tidy()
      return true
    },
    async load(fill) {
      loading = true
      try {
        await fill()
      } finally {
        loading = false
        sort()
      }
    },
    counts: owners => (owners ? countOf(owners) : counted).counts(),
    countWaiting(by) {
      let found = 0
      eachThatFits({ ...submitterFilter(by), statuses: statusesIn('waiting') }, () => {
        found += 1
      })
      return found
    },
    *walk(filter, sort, after) {
      const test = compileFilter(table, filter)
      if (!test) return
      const { by, isDescending } = SORTS[sort]
      if (by === 'finishedAt') yield* walkByEnd(table, test, isDescending, after)
      else yield* walkByAge({ table, order, length, find }, test, isDescending, after)
    },
    running: () => [...running].map(([id, claim]) => ({ id, claim })),
    ended() {
      const columns = table
      const { status, finishedAt } = columns.at
      const rows = order.slice(0, length).filter(row => FINAL[status[row] as number])
      const at = (row: number): number => finishedAt[row] || 0
      rows.sort((a, b) => at(b) - at(a))
      return {
        length: rows.length,
        id: place => columns.id(rows[place] as number),
        finishedAt: place => iso(at(rows[place] as number)),
        status: place => STATUSES[status[rows[place] as number] as number] as Status,
      }
    },
    endedIn(scanCache) {
      const found: { id: string; claim: number; owner: string | null; kind: string }[] = []
      for (let row = 0; row < table.rows; row += 1)
        if (FINAL[table.at.status[row] as number] && scanCache.has(table.shard(row)))
          found.push({
            id: table.id(row),
            claim: table.claim.get(row),
            owner: table.words.owner.word(table.at.owner[row] as number),
            kind: table.words.kind.word(table.at.kind[row] as number) ?? '',
          })
      return found
    },
    expired: now =>
      [...expiring].flatMap(([id, { kind, from, till }]) => (till <= now ? [{ id, kind, from }] : [])),
    nextExpiry(now) {
      let next: string | null = null
      for (const { till } of expiring.values()) if (till > now && (next === null || till < next)) next = till
      return next
    },
  }
}
