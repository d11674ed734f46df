// What people do to their tasks: edit one, complete one. The service's part for them; the rules are in core/people.ts and
// core/people-moves.ts.
import { setTimeout as wait } from 'node:timers/promises'
import type { Actor } from './actor.ts'
import { MadhavaError } from './errors.ts'
import { parseParams } from './kind-params.ts'
import type { Kinds } from './kinds.ts'
import type { Move } from './moves.ts'
import { type Edit, parseCompletion, parseEdit, withAssignee } from './people.ts'
import { complete, demandOpen, type EditedFields, edit } from './people-moves.ts'
import type { TaskStore } from './store.ts'
import { type TaskRecord, versionOf } from './task.ts'
import type { TaskAccess } from './task-access.ts'

export interface PeopleCalls {
  edit(actor: Actor, id: string, change: unknown, known: readonly string[] | null): Promise<TaskRecord>
  complete(actor: Actor, id: string, given: unknown, known: readonly string[] | null): Promise<TaskRecord>
}

interface PeopleDeps {
  store: Pick<TaskStore, 'claim'>
  access: Pick<TaskAccess, 'getToChange'>
  kinds: Pick<Kinds, 'get'>
  clock: () => Date
}

/** Another process may be writing the same task: it holds it for the time of one write. */
const TRIES = 40
const WAIT_MS = 25

export const createPeopleCalls = ({ store, access, kinds, clock }: PeopleDeps): PeopleCalls => {
  const now = () => clock().toISOString()

  /** @throws TASK_BUSY after a second, and what the move throws */
  const write = async (id: string, move: Move): Promise<TaskRecord> => {
    for (let tries = 1; ; tries += 1) {
      const task = await store.claim(id, move)
      if (task) return task
      if (tries === TRIES) throw new MadhavaError('TASK_BUSY', 'Another process holds the task; try again')
      await wait(WAIT_MS * (0.5 + Math.random()))
    }
  }

  const fieldsOf = async (task: TaskRecord, change: Edit): Promise<EditedFields> => {
    const { title, description, assignee } = change
    const fields: EditedFields = {}
    if (title !== undefined) fields.title = title
    if (description !== undefined) fields.description = description
    if (assignee !== undefined)
      fields.params = await parseParams(kinds.get(task.kind), withAssignee(task.params, assignee))
    return fields
  }

  return {
    async edit(actor, given, change, known) {
      const wanted = parseEdit(change)
      for (;;) {
        const task = await access.getToChange(actor, given)
        demandOpen(task, known)
        // params are checked outside the move; those of a version that came meanwhile are checked anew
        const seen = versionOf(task)
        const fields = await fieldsOf(task, wanted)
        try {
          return await write(task.id, edit(fields, [seen], now()))
        } catch (error) {
          if (known !== null || !isChanged(error)) throw error
        }
      }
    },

    async complete(actor, given, body, known) {
      const { note } = parseCompletion(body)
      const task = await access.getToChange(actor, given)
      return write(task.id, complete({ by: actor.name, note }, known, now()))
    },
  }
}

const isChanged = (error: unknown): boolean =>
  error instanceof MadhavaError && error.code === 'VERSION_CHANGED'
