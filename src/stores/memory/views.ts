// What the memory store tells about a set of records: order, filter, pages, counts, what is due. Pure functions.
import { dueChangesAt, isDue, isExpired } from '../../core/due.ts'
import { fits, type TaskFilter } from '../../core/filter.ts'
import { nextFirst } from '../../core/line.ts'
import {
  compareSortKeys,
  type PageRequest,
  SORTS,
  type SortKey,
  sortKeyOf,
  USUAL_SORT,
} from '../../core/sort.ts'
import type { Agenda, TaskCounts } from '../../core/store.ts'
import { STATUSES, type Status, type TaskRecord } from '../../core/task.ts'
import { decodeSortKey, encodeSortKey } from '../shared/page-cursor.ts'

/** A page of the tasks that fit. @throws BAD_CURSOR */
export const pageOf = (
  all: readonly TaskRecord[],
  filter: TaskFilter,
  { limit, cursor, sort = USUAL_SORT }: PageRequest,
): { tasks: TaskRecord[]; next: string | null } => {
  const { by, isDescending } = SORTS[sort]
  const after = cursor === null ? null : decodeSortKey(cursor, by)
  const compare = (a: SortKey, b: SortKey): number =>
    isDescending ? compareSortKeys(b, a) : compareSortKeys(a, b)
  const rest = all
    .flatMap(task => {
      const key = fits(task, filter) ? sortKeyOf(task, by) : null
      return key && (!after || compare(after, key) < 0) ? [{ task, key }] : []
    })
    .sort((a, b) => compare(a.key, b.key))
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return {
    tasks: page.map(({ task }) => task),
    next: last && rest.length > limit ? encodeSortKey(last.key, by) : null,
  }
}

export const countsOf = (tasks: readonly TaskRecord[]): TaskCounts => {
  const zero = () => Object.fromEntries(STATUSES.map(status => [status, 0])) as Record<Status, number>
  const byStatus = zero()
  const byKind = new Map<string, Record<Status, number>>()
  for (const task of tasks) {
    byStatus[task.status] += 1
    const kind = byKind.get(task.kind) ?? zero()
    kind[task.status] += 1
    byKind.set(task.kind, kind)
  }
  return { total: tasks.length, byStatus, byKind: Object.fromEntries(byKind) }
}

/** The part of the agenda that the records tell by themselves. */
export const planOf = (
  tasks: readonly TaskRecord[],
  now: string,
  limit: number,
  kinds?: readonly string[],
): Omit<Agenda, 'orphaned'> => {
  const due = tasks.filter(task => isDue(task, now) && (kinds?.includes(task.kind) ?? true)).sort(nextFirst)
  const times = tasks
    .map(task => dueChangesAt(task, now))
    .filter(time => time !== null)
    .sort()
  return {
    due: due.length,
    dueIds: due.slice(0, limit).map(task => task.id),
    expired: tasks.filter(task => isExpired(task, now)).map(task => task.id),
    nextAt: times[0] ?? null,
  }
}
