// The types of a thread pool, for its users.
import type { KindSettings } from '../../core/kind.ts'
import type { ResultLimits } from '../../core/task.ts'
import type { ProcessKeeper } from '../processes/attempt-processes.ts'
import type { LateEvent, RunOutcome, RunRequest } from './protocol.ts'
import type { RunEvents, startThread } from './thread.ts'

export interface ThreadPoolOptions {
  size: number
  /** The most heap of one thread, megabytes. Buffers are outside of it. */
  memoryMb: number
  /** Shared by the running tasks; by default all that this process may use. */
  cores?: number
  results?: ResultLimits
  settings?: KindSettings
  /** Manages the processes that runs start. */
  keeper?: ProcessKeeper
  /** An idle thread ends after this time. */
  idleMs?: number
  /**
   * Called on change with how many runs can go on at a time: `size`, or fewer while the host starts no more threads.
   */
  onCapacity?: (capacity: number) => void
  /** Called once with the reason why no thread can be started, and with null when they start again. */
  onShortage?: (reason: string | null) => void
  /** Called when code of ended runs still does something. */
  onLateEvent?: (event: LateEvent) => void
  /** 0 to 1, for jitter. */
  random?: () => number
  /** For tests: as `startThread`. */
  start?: typeof startThread
}

export interface Run {
  /** Never rejects. */
  readonly outcome: Promise<RunOutcome>
  /** It waits for a thread. */
  isWaiting(): boolean
  /** Milliseconds that the run took in its thread; null before its end, and if the thread could not tell. */
  tookMs(): number | null
  /** True: it had not begun, and never will. False: it goes on, or is over. */
  withdraw(): boolean
  /** Fires the signal inside the thread, and ends the thread if the run is not over after the grace time. */
  cancel(reason: string, graceMs: number): void
  /** Ends the thread at once. */
  kill(): void
}

export interface ThreadPool {
  /** Begins at once if a thread is free, else as soon as one is. */
  run(request: RunRequest, events: RunEvents): Run
  /** Every thread ends when it has nothing to do, and a later run gets a new one. */
  renew(): void
  /** For metrics and tests. */
  state(): { busy: number; idle: number; waiting: number }
  /** Ends all threads; running runs are lost. Idempotent. */
  close(): Promise<void>
}
