// Owners of tasks by name: what a filter names, and what lists show.
import type { Access } from '../access/access.ts'
import type { TaskFilter } from '../core/store.ts'
import type { TaskRecord } from '../core/task.ts'

/** The filter with the id of the account that `owner` names; a text that names none stays as it is. */
export const withOwnerId = async (access: Pick<Access, 'idOf'>, filter: TaskFilter): Promise<TaskFilter> => {
  if (filter.owner === undefined) return filter
  return { ...filter, owner: (await access.idOf(filter.owner)) ?? filter.owner }
}

/** The names of the owners of these tasks, by id; null for an account that was deleted. */
export const ownerNames = (
  access: Pick<Access, 'namesOf'>,
  tasks: readonly Pick<TaskRecord, 'owner'>[],
): Promise<ReadonlyMap<string, string | null>> =>
  access.namesOf(new Set(tasks.flatMap(({ owner }) => (owner === null ? [] : [owner]))))
