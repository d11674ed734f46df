// The orders of lists, in one table: by which time of a task, and which end comes first. Tasks of one moment stand by
// their ids, in the same direction. Pure.
import type { TaskFilter } from './filter.ts'
import { isFinal } from './status.ts'
import type { TaskRecord } from './task.ts'

/** The times that lists are sorted by. A list by `finishedAt` has only tasks that have ended. */
export type SortTime = 'createdAt' | 'finishedAt'

interface SortOrder {
  by: SortTime
  /** The latest first. */
  isDescending: boolean
}

/** By the names that clients send: a minus is for descending. */
export const SORTS = {
  '-createdAt': { by: 'createdAt', isDescending: true },
  createdAt: { by: 'createdAt', isDescending: false },
  '-finishedAt': { by: 'finishedAt', isDescending: true },
  finishedAt: { by: 'finishedAt', isDescending: false },
} as const satisfies Record<string, SortOrder>
export type Sort = keyof typeof SORTS
export const SORT_NAMES = Object.keys(SORTS) as [Sort, ...Sort[]]
/** Newest first. */
export const USUAL_SORT: Sort = '-createdAt'

/** Which page of a list. `sort` left out: newest first. A cursor holds for the time that its list was sorted by. */
export interface PageRequest {
  limit: number
  cursor: string | null
  sort?: Sort
}

/** What a task is sorted by. */
export interface SortKey {
  /** The time that the list is sorted by, ISO-8601 with milliseconds. */
  at: string
  id: string
}

/** Null: a list in this order does not have the task. */
export const sortKeyOf = (
  task: Pick<TaskRecord, 'id' | 'status' | SortTime>,
  by: SortTime,
): SortKey | null => {
  if (by === 'finishedAt' && !isFinal(task.status)) return null
  const at = task[by]
  return at === null ? null : { at, id: task.id }
}

/** Negative when the first stands before the second in an ascending list. */
export const compareSortKeys = (a: SortKey, b: SortKey): number =>
  a.at === b.at ? (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) : a.at < b.at ? -1 : 1

/** The bounds that a filter sets to the time of an order: `from` inclusive, `before` exclusive. */
export const boundsOf = (filter: TaskFilter, by: SortTime): { from?: string; before?: string } => {
  const [from, before] =
    by === 'createdAt' ? [filter.from, filter.to] : [filter.finishedFrom, filter.finishedTo]
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) }
}
