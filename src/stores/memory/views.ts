// What the memory store tells about a set of records: order, filter, pages, counts, what is due. Pure functions.
import { dueChangesAt, isDue, isExpired } from '../../core/due.ts'
import { MadhavaError } from '../../core/errors.ts'
import { fits, type TaskFilter } from '../../core/filter.ts'
import type { Agenda, TaskCounts } from '../../core/store.ts'
import { STATUSES, type Status, type TaskRecord } from '../../core/task.ts'

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
export const newestFirst = (a: TaskRecord, b: TaskRecord): number =>
  byText(b.createdAt, a.createdAt) || byText(b.id, a.id)
/** Priority, then age: the order in which tasks are taken. */
export const nextFirst = (a: TaskRecord, b: TaskRecord): number =>
  b.priority - a.priority || byText(a.createdAt, b.createdAt) || byText(a.id, b.id)
export const pageCursor = (task: TaskRecord): string =>
  Buffer.from(`${task.createdAt} ${task.id}`).toString('base64url')
/** @throws BAD_CURSOR */
export const parsePageCursor = (cursor: string): Pick<TaskRecord, 'createdAt' | 'id'> => {
  const [, createdAt, id] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f-]{36})$/.exec(
      cursor.length > 200 ? '' : Buffer.from(cursor, 'base64url').toString(),
    ) ?? []
  if (createdAt === undefined || id === undefined || Number.isNaN(Date.parse(createdAt)))
    throw new MadhavaError('BAD_CURSOR')
  return { createdAt, id }
}

/** A page of the tasks that fit, newest first. @throws BAD_CURSOR */
export const pageOf = (
  all: readonly TaskRecord[],
  filter: TaskFilter,
  limit: number,
  cursor: string | null,
): { tasks: TaskRecord[]; next: string | null } => {
  const after = cursor === null ? null : parsePageCursor(cursor)
  const rest = all
    .filter(task => fits(task, filter) && (!after || newestFirst({ ...task, ...after }, task) < 0))
    .sort(newestFirst)
  const tasks = rest.slice(0, limit)
  const last = tasks.at(-1)
  return { tasks, next: last && rest.length > limit ? pageCursor(last) : null }
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
