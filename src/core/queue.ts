// Port: what tells workers that there is work. A message is a hint: lost, doubled or late, it harms nothing.
// Its meaning is decided by test/suites/queue.ts, which runs on every adapter.

/** What an announcement carries. Which task a worker runs is the store's choice, not the message's. */
export interface Announcement {
  id: string
  kind: string
}

/** A task that was taken. Neither of the two promises rejects. */
export interface TakenTask {
  /** It has all slots, and until `done`. */
  alone?: boolean
  /**
   * Nothing of it runs any more, and another task may have its slot; at the latest with `done`. How many milliseconds the
   * run took, without what it waited for; null when nothing ran.
   */
  free: Promise<number | null>
  /** Its last move of this run is durable. */
  done: Promise<void>
}

/**
 * In place of a task: there is one, and this worker may take none before something of its own has ended, or until it is
 * nudged. To the queue it is full until then.
 */
export const LATER: TakenTask = Object.freeze({ free: Promise.resolve(null), done: Promise.resolve() })

export interface WorkOptions {
  /** At most so many tasks at a time. */
  slots: number
  /** Beyond them, so many are taken ahead while tasks take next to no time; 0 by default. Their owner lets them wait. */
  ahead?: number
  /**
   * Looks for one task in the store and starts it, or, taken ahead, has it ready; null when there is none, or none that may
   * be taken ahead; or LATER. It may not reject.
   */
  take: (ahead: boolean) => Promise<TakenTask | null>
}

/** The consuming side. */
export interface WorkHandle {
  /** Looks for work without an announcement: after a start, a takeover, a sweep. Never waits. */
  nudge(): void
  /**
   * At most so many tasks at a time from now on. With 0 it takes none, and announcements go to others; what runs is left
   * to its owner.
   */
  resize(slots: number): void
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

/** A message that announces no task: nothing can be done with it, so it is kept aside until somebody decides. */
export interface DeadMessage {
  /** A UUID of ours; it changes when the message is replayed and kept aside once more. */
  id: string
  /** What is wrong with it. */
  reason: string
  deadAt: string
  bytes: number
  contentType: string | null
  /** The beginning of its body as text. */
  preview: string
}

/** The messages that were kept aside: durable, and bounded (the oldest go first). */
export interface DeadMessages {
  /** The oldest first, and how many there are in all. @throws QUEUE_UNAVAILABLE */
  list(limit: number): Promise<{ messages: DeadMessage[]; total: number }>
  /** Puts one back into the queue as it came. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  replay(id: string): Promise<boolean>
  /** Removes one. False: there is none with this id. @throws QUEUE_UNAVAILABLE */
  discard(id: string): Promise<boolean>
  /** How many there are, or null when that cannot be known now. */
  count(): Promise<number | null>
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
  /** Whatever is in the queue and announces no task ends here, and blocks nothing. */
  readonly dead: DeadMessages
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
