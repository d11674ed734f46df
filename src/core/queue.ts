// Port: what tells workers that there is work. A message is a hint: lost, doubled or late, it harms nothing.
// Its meaning is decided by test/suites/queue.ts, which runs on every adapter.

/** What an announcement carries. Which task a worker runs is the store's choice, not the message's. */
export interface Announcement {
  id: string
  kind: string
}

/** A task that was taken: `done` resolves, and never rejects, when its last move of this run is durable. */
export interface Taken {
  done: Promise<void>
}

export interface WorkOptions {
  /** At most so many tasks at a time. */
  slots: number
  /** Looks for one task in the store and starts it; null when there is none. It may not reject. */
  take: () => Promise<Taken | null>
}

/** The consuming side. */
export interface WorkHandle {
  /** Looks for work without an announcement: after a start, a takeover, a sweep. Never waits. */
  nudge(): void
  /** Takes no more; what runs is left to its owner. Resolves when no `take` is under way. Idempotent. */
  stop(): Promise<void>
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
  /**
   * Starts taking. An announcement leads to a `take` as soon as a slot is free here or in another process; a slot
   * that gets free takes again by itself until it is given null. A full worker keeps no announcement that an idle
   * one could use. Acknowledged when the task is done, after ACK_HOLD, or at once when there was nothing to take.
   */
  work(options: WorkOptions): WorkHandle
  /** Announcements not yet delivered, or null when that cannot be known now. */
  depth(): Promise<number | null>
  state(): QueueState
  /** Running totals since the start of this process, by name. */
  counters(): Record<string, number>
  /** Resolves when everything announced so far is confirmed; false after the time is over. */
  flush(timeoutMs: number): Promise<boolean>
  /** Idempotent. */
  close(): Promise<void>
}

/** An announcement is acknowledged at the latest after this time, long before a broker's own time limit. */
export const ACK_HOLD_MS = 60_000
