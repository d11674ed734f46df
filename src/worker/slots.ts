// The slots of a worker: subscribes to the queue, and takes tasks while slots are free.
import type { TaskQueue } from '../core/queue.ts'
import { createSlotLoop, type SlotLoopOptions } from './slot-loop.ts'

export interface Slots {
  /** Asks the store for work without an announcement: after a start, a takeover, a sweep. Returns at once. */
  poll(): void
  /** How many tasks at a time from now on. With 0 none is taken, and announcements go to others. */
  resize(slots: number): void
  /** Takes no more; running tasks go on. Resolves when no `take` is under way. Idempotent. */
  stop(): Promise<void>
}

/** Takes waiting tasks at once. */
export const openSlots = (
  queue: Pick<TaskQueue, 'subscribe'>,
  options: Pick<SlotLoopOptions, 'slots' | 'ahead' | 'take' | 'holdMs' | 'log'>,
): Slots => {
  const loop = createSlotLoop({ ...options, onDemand: wanted => subscription.want(wanted) })
  const subscription = queue.subscribe(loop)
  loop.poll()
  return {
    poll: loop.poll,
    resize: loop.resize,
    async stop() {
      subscription.end()
      await loop.stop()
    },
  }
}
