// A task as it begins, for tests that care about a few of its fields.
import { firstRecord, type NewTask } from '../../src/core/moves.ts'
import { newTaskId, type TaskRecord } from '../../src/core/task.ts'

/** PENDING, without anything optional; `createdAt` is always the caller's, since tests have clocks of their own. */
export const newTaskOf = (task: Partial<NewTask> & Pick<NewTask, 'createdAt'>): TaskRecord =>
  firstRecord({
    id: newTaskId(),
    kind: 'test',
    params: null,
    priority: 5,
    maxAttempts: 5,
    notBefore: null,
    expiresAt: null,
    owner: null,
    parentId: null,
    title: null,
    description: null,
    idempotencyKey: null,
    retry: null,
    limits: { softSeconds: null, hardSeconds: null },
    ...task,
  })
