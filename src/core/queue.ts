// Port: what tells workers that there is work. A message is a hint: lost, doubled or late, it harms nothing.
// Its meaning is decided by test/suites/queue.ts, which runs on every adapter.
import type { DeadMessages } from './dead-messages.ts'

/** What an announcement carries. Which task a worker runs is the store's choice, not the message's. */
export interface Announcement {
  id: string
  kind: string
}

/** An announcement in the hands of one worker. One of the two is called, once. */
export interface Ticket {
  /**
   * It has done its duty: its task has ended, or there was none. At the latest `ACK_HOLD_MS` after its task was
   * taken.
   */
  settle(): void
  /** Another worker may have it. */
  giveBack(): void
}

/** A worker, as the queue sees it. */
export interface Subscriber {
  /** How many tasks it has at a time at the most. */
  readonly size: number
  /** An announcement has come in. */
  offer(ticket: Ticket): void
  /** There may be work that no ticket tells of. */
  look(): void
  /** Gives back every ticket that it has not begun to use: the broker is away, or it was to have no more. */
  release(): void
  /** The queue closes: it takes no more. Resolves when it is taking nothing. Idempotent. */
  stop(): Promise<void>
}

export interface Subscription {
  /** Whether announcements are wanted; at first they are. What a full worker does not want goes to others. */
  want(wanted: boolean): void
  /** No more announcements, for good. Idempotent. */
  end(): void
}

export interface QueueState {
  /** `connecting` and `blocked` are degraded, never fatal: submits go on. */
  status: 'ready' | 'connecting' | 'blocked' | 'closed'
  /** What is wrong and what would mend it; null when ready. Holds no secret. */
  reason: string | null
  /** Announcements that wait for the broker. */
  outbox: number
}

export interface TaskQueue {
  /** For people: `rabbitmq` or `embedded`. */
  readonly name: string
  /**
   * Hands over news of a task that is due; returns at once. With the broker away it waits in an outbox (bounded;
   * what does not fit is dropped, since the sweeper announces it again).
   */
  announce(task: Announcement): void
  /** Hands announcements to a worker from now on; each goes to one worker, until it is given back or lost with it. */
  subscribe(subscriber: Subscriber): Subscription
  /** Announcements not yet delivered, or null when that cannot be known now. */
  depth(): Promise<number | null>
  /** Messages that announce no task: they block nothing. */
  readonly dead: DeadMessages
  state(): QueueState
  /** Running totals since the start of this process, by name. */
  counters(): Record<string, number>
  /** Resolves when everything announced so far is confirmed; false after the time is over. */
  flush(timeoutMs: number): Promise<boolean>
  /** Idempotent. */
  close(): Promise<void>
}

/** Long before a broker's own time limit for an acknowledgement. */
export const ACK_HOLD_MS = 60_000
