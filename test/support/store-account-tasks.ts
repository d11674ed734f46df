// A child process that removes the tasks of deleted accounts and is killed with SIGKILL before one of its writes.
import { silentLog } from '../../src/platform/log.ts'
import { createAccountTasks } from '../../src/worker/account-tasks.ts'
import type { RoleContext } from './store-roles.ts'

export interface AccountTasksDeed {
  /** How many writes are done before the kill. */
  writes: number
  /** How far its clock is ahead, milliseconds. */
  aheadMs: number
}

export interface AccountTasksLine {
  /** It is killed now. */
  dying?: true
  /** It was done before the kill came. */
  done?: true
}

/** More than the walks of the accounts take. */
const SWEEPS = 5

export const accountTasksRole = async (
  { store, tell }: RoleContext,
  { writes, aheadMs }: AccountTasksDeed,
): Promise<void> => {
  let left = writes
  const orDie = async <T>(write: () => Promise<T>): Promise<T> => {
    if (left === 0) {
      tell({ dying: true } satisfies AccountTasksLine)
      process.kill(process.pid, 'SIGKILL')
    }
    left -= 1
    return write()
  }
  const tasks = createAccountTasks({
    store: {
      ...store,
      revoke: (...asked) => orDie(() => store.revoke(...asked)),
      remove: (...asked) => orDie(() => store.remove(...asked)),
      documents: {
        ...store.documents,
        put: (...asked) => orDie(() => store.documents.put(...asked)),
      },
    },
    clock: () => new Date(Date.now() + aheadMs),
    log: silentLog(),
  })
  for (let n = 0; n < SWEEPS; n += 1) await tasks.sweep()
  tell({ done: true } satisfies AccountTasksLine)
}
