// Which tasks an actor may see: all of them, so far. Every operation of the service finds and lists tasks through
// here, so that a rule about owners has one place.
import type { Actor } from './actor.ts'
import { MadhavaError } from './errors.ts'
import { fits } from './filter.ts'
import type { PageRequest, TaskFilter, TaskPage, TaskStore } from './store.ts'
import { parseTaskId, type TaskRecord } from './task.ts'

/** Narrows a filter to what the actor may see. */
export type Visibility = (filter: TaskFilter, actor: Actor) => TaskFilter
const everything: Visibility = filter => filter

export interface TaskAccess {
  /** Null: there is no such task that the actor may see. @throws BAD_ID */
  find(actor: Actor, id: string): Promise<TaskRecord | null>
  /** @throws BAD_ID, TASK_NOT_FOUND */
  get(actor: Actor, id: string): Promise<TaskRecord>
  /** @throws BAD_CURSOR */
  list(actor: Actor, filter: TaskFilter, page: PageRequest): Promise<TaskPage>
  /** The filter, narrowed to what the actor may see. */
  narrow(actor: Actor, filter: TaskFilter): TaskFilter
}

export const createTaskAccess = (
  store: Pick<TaskStore, 'get' | 'list'>,
  visibility: Visibility = everything,
): TaskAccess => {
  const find = async (actor: Actor, id: string): Promise<TaskRecord | null> => {
    const task = await store.get(parseTaskId(id))
    return task && fits(task, visibility({}, actor)) ? task : null
  }
  return {
    find,
    async get(actor, id) {
      const task = await find(actor, id)
      if (task) return task
      throw new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)
    },
    list: (actor, filter, page) => store.list(visibility(filter, actor), page),
    narrow: (actor, filter) => visibility(filter, actor),
  }
}
