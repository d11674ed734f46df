// Whether a task belongs on a list. What a filter means is decided here, once for all stores. Pure.
import type { TaskFilter } from './store.ts'
import type { TaskRecord } from './task.ts'

/** What a filter looks at. */
export type Filtered = Pick<
  TaskRecord,
  | 'id'
  | 'kind'
  | 'status'
  | 'createdAt'
  | 'finishedAt'
  | 'owner'
  | 'parentId'
  | 'title'
  | 'description'
  | 'error'
>

/** True when all that the filter names fits; text is looked for ignoring case. */
export const fits = (task: Filtered, filter: TaskFilter): boolean => {
  if (filter.statuses && !filter.statuses.includes(task.status)) return false
  if (filter.kinds && !filter.kinds.includes(task.kind)) return false
  if (filter.owner !== undefined && task.owner !== filter.owner) return false
  if (filter.parentId !== undefined && task.parentId !== filter.parentId) return false
  if (filter.from !== undefined && task.createdAt < filter.from) return false
  if (filter.to !== undefined && task.createdAt >= filter.to) return false
  const { error, finishedAt } = task
  if (filter.finishedFrom !== undefined && (finishedAt === null || finishedAt < filter.finishedFrom))
    return false
  if (filter.finishedTo !== undefined && (finishedAt === null || finishedAt >= filter.finishedTo))
    return false
  if (filter.errorCodes && !(error && filter.errorCodes.includes(error.code))) return false
  if (
    filter.errorText !== undefined &&
    !error?.message.toLowerCase().includes(filter.errorText.toLowerCase())
  )
    return false
  if (filter.text === undefined) return true
  const text = filter.text.toLowerCase()
  return [task.id, task.kind, task.title, task.description].some(field => field?.toLowerCase().includes(text))
}
