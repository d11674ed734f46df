// Writes a task's log as an attempt does, and at once.
import assert from 'node:assert/strict'
import type { TaskStore } from '../../src/core/store.ts'
import { createTaskLog } from '../../src/worker/task-log.ts'

/** @param clock of all lines */
export const writesLog = (store: TaskStore, id: string, { attempt = 1, clock = () => new Date() } = {}) => {
  const log = createTaskLog({
    store,
    id,
    attempt,
    earlier: true,
    clock,
    failed: error => assert.fail(String(error)),
  })
  return {
    async say(...lines: string[]): Promise<void> {
      for (const line of lines) log.add(line)
      await log.flush()
    },
    log,
  }
}
