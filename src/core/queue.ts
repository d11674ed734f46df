// Port: tells workers that there is work. A message is a hint: if lost, doubled or late, it does no harm.
// test/suites/queue.ts defines its meaning and runs on every adapter.
import type { DeadMessages } from './dead-messages.ts'

/** The content of an announcement. The store, not the message, decides which task a worker runs. */
export interface Announcement {
  id: string
  kind: string
}

/** An announcement that one worker holds. The worker calls one of the two methods, once. */
export interface Ticket {
  /**
   * The announcement is done: its task has ended, or there was none. At the latest `ACK_HOLD_MS` after the task was
   * taken.
   */
  settle(): void
  /** Lets another worker have it. */
  giveBack(): void
}

/** A worker, as the queue sees it. */
export interface Subscriber {
  /** The most tasks it has at a time. */
  readonly size: number
  /** An announcement has come in. */
  offer(ticket: Ticket): void
  /** There may be work without a ticket. */
  poll(): void
  /** Gives back every ticket that it has not begun to use: the broker is away, or no more tickets are wanted. */
  release(): void
  /** The queue closes, so the worker takes no more. Resolves when nothing is being taken. Idempotent. */
  stop(): Promise<void>
}

export interface Subscription {
  /** Whether announcements are wanted; true at first. While false, they go to other workers. */
  want(wanted: boolean): void
  /** No more announcements, for good. Idempotent. */
  end(): void
}

export interface QueueState {
  /** `connecting` and `blocked` are degraded, never fatal: submits go on. */
  status: 'ready' | 'connecting' | 'blocked' | 'closed'
  /** What is wrong and how to mend it; null when ready. Holds no secret. */
  reason: string | null
  /** Announcements that wait to be sent to the broker. */
  outbox: number
}

export interface TaskQueue {
  /** For people: `rabbitmq` or `embedded`. */
  readonly name: string
  /**
   * Announces a due task and returns at once. While the broker is away it waits in a bounded outbox. What does not
   * fit is dropped, and the sweeper announces it again.
   */
  announce(task: Announcement): void
  /**
   * Delivers announcements to a worker from now on. Each goes to one worker until it is given back or that worker is
   * lost.
   */
  subscribe(subscriber: Subscriber): Subscription
  /** Announcements not yet delivered; null when the queue cannot tell now. */
  depth(): Promise<number | null>
  /** Messages that announce no task. They block nothing. */
  readonly dead: DeadMessages
  state(): QueueState
  /** Totals since the start of this process, by name. */
  counters(): Record<string, number>
  /** Resolves with true when all announcements so far are confirmed, with false after the timeout. */
  flush(timeoutMs: number): Promise<boolean>
  /** Idempotent. */
  close(): Promise<void>
}

/** Long before a broker's own acknowledgement timeout. */
export const ACK_HOLD_MS = 60_000
