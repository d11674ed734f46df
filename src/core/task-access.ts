// Where the service finds and lists tasks for an actor: what the policy hides is not there. Every operation on tasks
// goes through here.
import type { Actor } from './actor.ts'
import { MadhavaError } from './errors.ts'
import { fits } from './filter.ts'
import { demand, demandTouch, touchableBy, visibleTo } from './policy.ts'
import type { PageRequest, TaskFilter, TaskPage, TaskStore } from './store.ts'
import { parseTaskId, type TaskRecord } from './task.ts'

/** All calls throw UNAUTHORIZED or SCOPE_MISSING for an actor who may not do such a thing at all. */
export interface TaskAccess {
  /** Null: there is no such task that the actor may see. @throws BAD_ID */
  find(actor: Actor, id: string): Promise<TaskRecord | null>
  /** @throws BAD_ID, TASK_NOT_FOUND */
  get(actor: Actor, id: string): Promise<TaskRecord>
  /** A task to change. Null: there is no such task that the actor may see. @throws BAD_ID */
  findToChange(actor: Actor, id: string): Promise<TaskRecord | null>
  /** @throws BAD_ID, TASK_NOT_FOUND */
  getToChange(actor: Actor, id: string): Promise<TaskRecord>
  /** @throws BAD_CURSOR */
  list(actor: Actor, filter: TaskFilter, page: PageRequest): Promise<TaskPage>
  /** The tasks that the actor may change. @throws BAD_CURSOR */
  listToChange(actor: Actor, filter: TaskFilter, page: PageRequest): Promise<TaskPage>
  /** The filter, narrowed to what the actor may see. */
  narrow(actor: Actor, filter: TaskFilter): TaskFilter
}

export const createTaskAccess = (store: Pick<TaskStore, 'get' | 'list'>): TaskAccess => {
  const look = async (actor: Actor, given: string): Promise<TaskRecord | null> => {
    const id = parseTaskId(given)
    const task = await store.get(id)
    if (id === actor.task) return task
    return task && fits(task, visibleTo({}, actor)) ? task : null
  }
  const orNotFound = (task: TaskRecord | null, id: string): TaskRecord => {
    if (task) return task
    throw new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)
  }
  const find = async (actor: Actor, id: string): Promise<TaskRecord | null> => {
    if (actor.task === null || parseTaskId(id) !== actor.task) demand(actor, 'read')
    return look(actor, id)
  }
  const findToChange = async (actor: Actor, id: string): Promise<TaskRecord | null> => {
    demand(actor, 'submit')
    const task = await look(actor, id)
    if (task) demandTouch(actor, task)
    return task
  }
  const narrow = (actor: Actor, filter: TaskFilter): TaskFilter => {
    demand(actor, 'read')
    return visibleTo(filter, actor)
  }
  return {
    find,
    get: async (actor, id) => orNotFound(await find(actor, id), id),
    findToChange,
    getToChange: async (actor, id) => orNotFound(await findToChange(actor, id), id),
    list: async (actor, filter, page) => store.list(narrow(actor, filter), page),
    async listToChange(actor, filter, page) {
      demand(actor, 'submit')
      return store.list(touchableBy(filter, actor), page)
    },
    narrow,
  }
}
