// What this process knows of every task, in memory: enough to list, count, and pick the next one.
// Fed with whole records from the state files and the journals; it never reads a file itself.
import type { TaskCounts, TaskFilter } from '../../core/store.ts'
import {
  compareVersions,
  isFinal,
  isRunning,
  isWaiting,
  STATUSES,
  type Status,
  type TaskRecord,
} from '../../core/task.ts'
import { createWaitingList, type WaitingList } from './waiting.ts'

/** The part of a record that lists and picks go by. */
export type Summary = Pick<
  TaskRecord,
  | 'id'
  | 'kind'
  | 'status'
  | 'claim'
  | 'rev'
  | 'priority'
  | 'createdAt'
  | 'notBefore'
  | 'expiresAt'
  | 'finishedAt'
  | 'owner'
  | 'parentId'
  | 'title'
  | 'description'
>

export interface TaskIndex {
  readonly waiting: WaitingList
  get(id: string): Summary | undefined
  /** Takes in a record unless a newer one is known; false when it was older. */
  put(task: TaskRecord): boolean
  /** For the first scan: what `fill` puts may come in any order, and is sorted once. */
  load(fill: () => Promise<void>): Promise<void>
  /** `claim`: the number under which it was removed; records of older claims do not bring it back. */
  remove(id: string, claim: number): boolean
  counts(): TaskCounts
  /** Newest first, after the place of a cursor. */
  newest(after: { createdAt: string; id: string } | null): Generator<Summary>
  running(): Summary[]
  /** Ended tasks, the one that ended first at the front. */
  ended(): Summary[]
  expired(now: string): Summary[]
  nextExpiry(now: string): string | null
}

/** Removed ids are remembered for late journal entries; so many of them. */
const REMOVED_KEPT = 10_000

/** Whether a summary or record fits; text is looked for ignoring case. */
export const fits = (task: Summary, filter: TaskFilter): boolean => {
  if (filter.statuses && !filter.statuses.includes(task.status)) return false
  if (filter.kinds && !filter.kinds.includes(task.kind)) return false
  if (filter.owner !== undefined && task.owner !== filter.owner) return false
  if (filter.parentId !== undefined && task.parentId !== filter.parentId) return false
  if (filter.from !== undefined && task.createdAt < filter.from) return false
  if (filter.to !== undefined && task.createdAt >= filter.to) return false
  if (filter.text === undefined) return true
  const text = filter.text.toLowerCase()
  return [task.id, task.kind, task.title, task.description].some(field => field?.toLowerCase().includes(text))
}

const summarize = (task: TaskRecord): Summary => ({
  id: task.id,
  kind: task.kind,
  status: task.status,
  claim: task.claim,
  rev: task.rev,
  priority: task.priority,
  createdAt: task.createdAt,
  notBefore: task.notBefore,
  expiresAt: task.expiresAt,
  finishedAt: task.finishedAt,
  owner: task.owner,
  parentId: task.parentId,
  title: task.title,
  description: task.description,
})

type Place = Pick<Summary, 'createdAt' | 'id'>
/** One object per task for as long as it is known, so that going through the order needs no look-up. */
type Known = Summary & { gone: boolean }
const before = (a: Place, b: Place): boolean =>
  a.createdAt === b.createdAt ? a.id < b.id : a.createdAt < b.createdAt

export const createTaskIndex = (): TaskIndex => {
  const byId = new Map<string, Known>()
  const removed = new Map<string, number>()
  /** Oldest first. Removed ones stay until there are many. */
  let order: Known[] = []
  let gone = 0
  let loading = false
  const running = new Map<string, Known>()
  const expiring = new Map<string, Known>()
  const waiting = createWaitingList()
  const kinds = new Map<string, Map<Status, number>>()

  const count = (task: Summary, by: 1 | -1): void => {
    const statuses = kinds.get(task.kind) ?? new Map<Status, number>()
    kinds.set(task.kind, statuses)
    const next = (statuses.get(task.status) ?? 0) + by
    if (next === 0) statuses.delete(task.status)
    else statuses.set(task.status, next)
    if (statuses.size === 0) kinds.delete(task.kind)
  }

  /** The first place in `order` that is not before `place`. */
  const find = (place: Place): number => {
    const last = order.at(-1)
    if (!last || before(last, place)) return order.length
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (before(order[middle] as Place, place)) low = middle + 1
      else high = middle
    }
    return low
  }

  const forget = (task: Summary): void => {
    count(task, -1)
    waiting.remove(task.id)
    running.delete(task.id)
    expiring.delete(task.id)
  }

  const put = (task: TaskRecord): boolean => {
    const known = byId.get(task.id)
    if (known ? compareVersions(task, known) < 0 : task.claim <= (removed.get(task.id) ?? -1)) return false
    if (known && compareVersions(task, known) === 0) return true
    if (known) forget(known)
    const summary = Object.assign(known ?? { gone: false }, summarize(task))
    if (!known) {
      byId.set(summary.id, summary)
      if (loading) order.push(summary)
      else order.splice(find(summary), 0, summary)
    }
    count(summary, 1)
    if (isWaiting(summary.status))
      waiting.add({ ...summary, expiresAt: summary.status === 'PENDING' ? summary.expiresAt : null })
    if (isRunning(summary.status)) running.set(summary.id, summary)
    if (summary.status === 'PENDING' && summary.expiresAt !== null) expiring.set(summary.id, summary)
    return true
  }

  return {
    waiting,
    get: id => byId.get(id),
    put,
    remove(id, claim) {
      const known = byId.get(id)
      if (known && known.claim > claim) return false
      removed.delete(id)
      removed.set(id, claim)
      const oldest = removed.keys().next().value
      if (removed.size > REMOVED_KEPT && oldest !== undefined) removed.delete(oldest)
      if (!known) return true
      forget(known)
      byId.delete(id)
      known.gone = true
      gone += 1
      if (gone > 1000 && gone > order.length / 2) {
        order = order.filter(place => !place.gone)
        gone = 0
      }
      return true
    },
    async load(fill) {
      loading = true
      try {
        await fill()
      } finally {
        loading = false
        order.sort((a, b) => (before(a, b) ? -1 : 1))
      }
    },
    counts() {
      const byStatus = Object.fromEntries(STATUSES.map(status => [status, 0])) as Record<Status, number>
      const byKind: TaskCounts['byKind'] = {}
      for (const [kind, statuses] of kinds) {
        byKind[kind] = Object.fromEntries(statuses)
        for (const [status, number] of statuses) byStatus[status] += number
      }
      return { total: byId.size, byStatus, byKind }
    },
    *newest(after) {
      const list = order
      for (let at = (after ? find(after) : list.length) - 1; at >= 0; at -= 1) {
        const summary = list[at]
        if (summary && !summary.gone) yield summary
      }
    },
    running: () => [...running.values()],
    ended: () =>
      [...byId.values()]
        .filter(task => isFinal(task.status))
        .sort((a, b) => ((a.finishedAt ?? '') < (b.finishedAt ?? '') ? -1 : 1)),
    expired: now => [...expiring.values()].filter(task => (task.expiresAt ?? '') <= now),
    nextExpiry: now =>
      [...expiring.values()].reduce<string | null>((next, { expiresAt }) => {
        if (expiresAt === null || expiresAt <= now) return next
        return next === null || expiresAt < next ? expiresAt : next
      }, null),
  }
}
