// Creating a task: once per id, once per idempotency key.
import { MadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import { idempotencyScope, type TaskRecord } from '../../core/task.ts'
import { refuseFault } from '../../core/task-check.ts'
import type { Blobs } from './blobs.ts'
import type { Committer } from './committer.ts'
import type { Holder } from './holder.ts'
import { type Layout, parseId, type SafeId } from './layout.ts'
import type { Keys } from './marks.ts'
import type { Records } from './records.ts'
import type { Room } from './room.ts'
import type { Draft } from './scribe.ts'
import { readKeyLink } from './state-file.ts'
import type { View } from './view.ts'

interface CreationDeps {
  layout: Layout
  room: Room
  records: Records
  blobs: Blobs
  keys: Keys
  committer: Committer
  view: View
  holder: Holder
}

export const createCreation = (deps: CreationDeps): Pick<TaskStore, 'create'> => {
  const { layout, room, records, blobs, keys, committer, view, holder } = deps

  const insert = async (task: TaskRecord, fingerprint: string | null): Promise<boolean> => {
    const id = task.id as SafeId
    // what a removal that was cut short has left is not this task's
    if (records.exists(id)) return false
    if (blobs.exist(id)) await blobs.removeAll(id)
    const entry = { type: 'task', task, ...(fingerprint === null ? {} : { fingerprint }) } as const
    const draft = (): Draft => {
      // once more: many may have waited for their turn
      room.forNewTask()
      return records.create(task)
    }
    return committer.commitDraft(entry, draft, made => {
      if (made) view.publish({ type: 'task', task })
      return made
    })
  }

  return {
    async create(task, fingerprint, admit) {
      const id = parseId(task.id)
      refuseFault(null, task)
      const key = idempotencyScope(task)
      let record: TaskRecord = { ...task, id }
      // a key that is bound has its answer already, or waits for its task, which is refused below
      if (key === null || readKeyLink(layout.key(key)) === null) {
        await admit?.()
        room.forNewTask()
      }
      if (key !== null) {
        if (records.exists(id)) throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
        const bound = keys.bind(key, id, fingerprint ?? '')
        // the one that bound the key may have died before it wrote the task: then this one writes it, by that id
        const first = bound === id ? null : holder.read(bound)
        if (first) return { task: first, created: false }
        record = { ...record, id: bound }
      }
      if (await insert(record, key === null ? null : fingerprint)) return { task: record, created: true }
      if (key !== null) return { task: holder.mustRead(record.id as SafeId), created: false }
      throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
    },
  }
}
