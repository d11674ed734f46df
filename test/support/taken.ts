// A taken task whose slot is free when it is done, as of one with a large result: its run took that long.
import type { TakenTask } from '../../src/worker/taken-task.ts'

export const takenUntil = (done: Promise<void>): TakenTask => {
  const begunAt = performance.now()
  const slotFree = done.then(() => performance.now() - begunAt)
  return { slotFree, ended: slotFree.then(() => {}) }
}
