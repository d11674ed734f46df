// A queue that carries nothing and notes what it is told.
import type { Announcement, TaskQueue } from '../../src/core/queue.ts'

export const createNotingQueue = (over: Partial<TaskQueue> = {}) => {
  const announced: Announcement[] = []
  const queue: TaskQueue = {
    name: 'noting',
    announce: task => {
      announced.push(task)
    },
    work: () => ({ nudge() {}, resize() {}, stop: async () => {} }),
    depth: async () => announced.length,
    dead: {
      list: async () => ({ messages: [], total: 0 }),
      replay: async () => false,
      discard: async () => false,
      count: async () => 0,
    },
    state: () => ({ status: 'ready', reason: null, outbox: 0 }),
    counters: () => ({}),
    flush: async () => true,
    close: async () => {},
    ...over,
  }
  return { queue, announced }
}
