// A queue that carries nothing and notes what it is told.
import { NO_DEAD_MESSAGES } from '../../src/core/dead-messages.ts'
import type { Announcement, TaskQueue } from '../../src/core/queue.ts'

export const createNotingQueue = (over: Partial<TaskQueue> = {}) => {
  const announced: Announcement[] = []
  const queue: TaskQueue = {
    name: 'noting',
    announce: task => {
      announced.push(task)
    },
    subscribe: () => ({ want() {}, end() {} }),
    depth: async () => announced.length,
    dead: NO_DEAD_MESSAGES,
    state: () => ({ status: 'ready', reason: null, outbox: 0 }),
    counters: () => ({}),
    flush: async () => true,
    close: async () => {},
    ...over,
  }
  return { queue, announced }
}
