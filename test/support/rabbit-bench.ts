// One private RabbitMQ for a file of tests, queues on it, and piles of tasks as a store would have them.
import { randomUUID } from 'node:crypto'
import { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskQueue } from '../../src/core/queue.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createRabbitQueue, type RabbitQueueOptions } from '../../src/queues/rabbitmq/open.ts'
import { openSlots } from '../../src/worker/slots.ts'
import { type Rabbit, startRabbit } from './rabbitmq.ts'
import { requireService } from './services.ts'
import { takenUntil } from './taken.ts'
import { until } from './until.ts'

/** Tasks that wait, as the store would have them; a task that is done is counted. */
export const createPile = () => {
  const waiting = new Set<string>()
  const ended: string[] = []
  return {
    waiting,
    ended,
    add(queue: TaskQueue | null): string {
      const id = randomUUID()
      waiting.add(id)
      queue?.announce({ id, kind: 'test' })
      return id
    },
    claim(): string | null {
      const [id] = waiting
      if (id === undefined) return null
      waiting.delete(id)
      return id
    },
    /** Works on a queue: each task takes `ms`. */
    work(queue: TaskQueue, slots: number, ms: number) {
      const counts = { takes: 0 }
      const handle = openSlots(queue, {
        log: silentLog(),
        slots,
        take: async () => {
          counts.takes++
          const id = this.claim()
          return id === null ? null : takenUntil(sleep(ms).then(() => void ended.push(id)))
        },
      })
      return { handle, counts }
    },
  }
}

/** To be called once, at the top of a file of tests: starts the broker before them, and ends it after them. */
export const createRabbitBench = () => {
  const skip = requireService('rabbitmq')
  const opened: TaskQueue[] = []
  let rabbit: Rabbit | null = null
  let names = 0

  const broker = (): Rabbit => {
    if (rabbit === null) throw new Error('the broker is there in tests only')
    return rabbit
  }
  before(
    async () => {
      if (skip === false) rabbit = await startRabbit()
    },
    { timeout: 600_000 },
  )
  after(async () => {
    await Promise.all(opened.map(queue => queue.close()))
    await rabbit?.remove()
  })

  return {
    skip,
    broker,
    freshName: () => `queue-${++names}`,
    open(queue: string, change: Partial<RabbitQueueOptions> = {}): TaskQueue {
      const made = createRabbitQueue({ urls: [broker().url], queue, log: silentLog(), ...change })
      opened.push(made)
      return made
    },
    /** Nothing waits, and nothing is unacknowledged. */
    settled: (name: string) =>
      until(
        `${name} holds nothing`,
        async () => {
          const rows = (await broker().ctl('list_queues', 'name', 'messages', '--silent')).trim().split('\n')
          return rows.some(row => row.trim() === `${name}\t0`)
        },
        60_000,
      ),
  }
}

export const ready = (...queues: TaskQueue[]) =>
  until('the queues are ready', () => queues.every(queue => queue.state().status === 'ready'), 60_000)
