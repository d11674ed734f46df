// Creating a task: once per id, once per idempotency key.
import { MadhavaError } from '../../../core/errors.ts'
import type { TaskStore } from '../../../core/store.ts'
import { idempotencyScope, type TaskRecord } from '../../../core/task.ts'
import { refuseInvalidRecord } from '../../../core/task-check.ts'
import type { TaskMover } from '../claims/task-mover.ts'
import type { FreeSpace } from '../free-space.ts'
import type { LiveIndex } from '../index/live-index.ts'
import { type Layout, parseId, type SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'
import type { Draft } from '../log/writer.ts'
import type { Blobs } from './blobs.ts'
import { type Keys, readKeyLink } from './keys.ts'
import type { Records } from './records.ts'

interface TaskCreatorDeps {
  layout: Layout
  space: FreeSpace
  records: Records
  blobs: Blobs
  keys: Keys
  committer: Committer
  liveIndex: LiveIndex
  mover: TaskMover
}

export const createTaskCreator = (deps: TaskCreatorDeps): Pick<TaskStore, 'create'> => {
  const { layout, space, records, blobs, keys, committer, liveIndex, mover } = deps

  const insert = async (task: TaskRecord, fingerprint: string | null): Promise<boolean> => {
    const id = task.id as SafeId
    // what an interrupted removal has left does not belong to this task
    if (records.exists(id)) return false
    if (blobs.exist(id)) await blobs.removeAll(id)
    const entry = { type: 'task', task, ...(fingerprint === null ? {} : { fingerprint }) } as const
    const draft = (): Draft => {
      // once more: many may have waited for their turn
      space.forNewTask()
      return records.create(task)
    }
    return committer.commitDraft(entry, draft, made => {
      if (made) liveIndex.publish({ type: 'task', task })
      return made
    })
  }

  return {
    async create(task, fingerprint, admit) {
      const id = parseId(task.id)
      refuseInvalidRecord(null, task)
      const key = idempotencyScope(task)
      let record: TaskRecord = { ...task, id }
      // a key that is bound has its answer already, or waits for its task, which is refused below
      if (key === null || readKeyLink(layout.key(key)) === null) {
        // what does not fit anyway is counted nowhere; and again, since the count may take a while
        space.forNewTask()
        await admit?.()
        space.forNewTask()
      }
      if (key !== null) {
        if (records.exists(id)) throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
        const bound = keys.bind(key, id, fingerprint ?? '')
        // the process that bound the key may have died before it wrote the task; then this one writes it, with that id
        const first = bound === id ? null : mover.read(bound)
        if (first) return { task: first, created: false }
        record = { ...record, id: bound }
      }
      if (await insert(record, key === null ? null : fingerprint)) return { task: record, created: true }
      if (key !== null) return { task: mover.mustRead(record.id as SafeId), created: false }
      throw new MadhavaError('TASK_EXISTS', `There is a task ${id} already`)
    },
  }
}
